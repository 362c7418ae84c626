"""``modeltap serve`` as a user starts it: processes, requests, failures, the end."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from modeltap.errors import SettingsError
from modeltap.serving import serve
from support.pythons import Output, command
from support.servers import (
    EXAMPLES,
    Server,
    call,
    collecting,
    free_port,
    joined,
    rows_of,
    serving,
    trained,
    until,
    wines,
)

pytestmark = pytest.mark.timeout(300)  # frames, models and servers load slowly on a busy machine

SCORE = """
import os, threading
CALLS = 0
def init():
    global PLACE
    PLACE = os.environ["AZUREML_MODEL_DIR"]
def run(data):
    global CALLS
    before = CALLS
    CALLS = before + 1
    if data == "fail": raise ValueError("secret of the model")
    if data == "exit": raise SystemExit(5)
    if data == "odd": return object()
    if data == "env": return [os.getpid(), PLACE, os.environ["MODELTAP_SERVICE"]]
    if data == "count": return CALLS
    return data
"""
Start = Callable[..., AbstractContextManager[Server]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start ``modeltap serve`` on a scoring file's text."""

    def started(text: str = SCORE, *options: str) -> AbstractContextManager[Server]:
        (tmp_path / "score.py").write_text(text)
        return serving(partial(verb, tmp_path / "score.py", options), collecting(tmp_path, "svc"), tmp_path)

    return started


def verb(file: Path, options: tuple[str, ...], port: int) -> list[str]:
    return [sys.executable, "-m", "modeltap", "serve", str(file), "--port", str(port), *options]


def test_the_example_with_two_workers_collects_every_pair(tmp_path: Path):
    environment = collecting(tmp_path, "", AZUREML_MODEL_DIR=str(trained()))
    rows = [[list(wine.values())] * 2 for wine in wines(150)]
    options = ("--workers", "2", "--service", "wine")
    with serving(partial(verb, EXAMPLES / "score.py", options), environment, tmp_path) as server:
        answers = server.post_many("/score", [{"data": data} for data in rows], at_once=8)
        assert {answer.status for answer in answers} == {200}
        assert server.stop() == 0
    pairs = joined(rows_of(tmp_path, "inputs", 300), rows_of(tmp_path, "predictions", 300))
    assert len({row["$RequestId"] for row, _ in pairs}) == 150
    assert [json.loads(answer.body)[0] for answer in answers].count(0) == 59
    assert len(list((tmp_path / "store").glob("modeldata/*/*/*/wine/best_model/default/inputs/*/*/*/data.csv"))) == 1


def test_a_body_goes_in_as_text_and_the_health_page_is_there(start: Start):
    with start() as server:
        assert server.get("/").body == b"Healthy"
        answer = server.post("/score", "ü".encode())
        assert (answer.status, answer.json) == (200, "ü")
        assert answer.headers["x-ms-run-function-failed"] == "False"
        assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0
        assert server.get("/score?a=1&b=x").json == '{"a": 1, "b": "x"}'
        assert "server" not in answer.headers


def test_the_ids_go_out_as_on_the_originals_server(start: Start):
    with start() as server:
        plain = server.get("/").headers
        assert plain["x-ms-request-id"] == plain["x-request-id"]
        assert "x-ms-client-request-id" not in plain
        named = server.post("/score", "x", {"x-request-id": "host", "x-ms-client-request-id": "client"}).headers
        assert (named["x-request-id"], named["x-ms-client-request-id"]) == ("host", "client")
        assert named["x-ms-request-id"] == "client"
        legacy = server.get("/", {"x-ms-request-id": "old"}).headers
        assert (legacy["x-ms-request-id"], legacy["x-ms-client-request-id"]) == ("old", "old")
        long = server.get("/", {"x-request-id": "x" * 101})
        assert (long.status, long.json) == (431, {"message": "x-request-id must not have more than 100 characters"})


def test_a_failing_run_is_a_json_500_without_its_inside_and_the_service_goes_on(start: Start):
    with start() as server:
        for body in (b"fail", b"exit", b"odd"):
            answer = server.post("/score", body)
            assert answer.status == 500
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-ms-run-function-failed"] == "True"
            assert b"secret" not in answer.body
        assert server.post("/score", b"fine").json == "fine"
        assert "ValueError: secret of the model" in server.log
        assert "run returned a object, which is not JSON" in server.log


def test_other_paths_and_methods_are_refused_in_json(start: Start):
    with start() as server:
        missing = server.get("/nothing")
        assert (missing.status, missing.json) == (404, {"message": "Not Found"})
        wrong = call(server.url + "/score", b"", method="DELETE")
        assert (wrong.status, wrong.json) == (405, {"message": "Method Not Allowed"})
        assert call(server.url + "/score", method="OPTIONS").status == 200
        assert server.post("/score", b"\xff").status == 400


def test_requests_at_once_never_meet_in_a_scoring_file(start: Start):
    with start() as server:
        server.post_many("/score", [{"n": n} for n in range(200)], at_once=16)
        assert server.post("/score", b"count").json == 201


def test_the_service_has_its_name_and_the_model_is_looked_for_beside_the_file(start: Start, tmp_path: Path):
    with start(SCORE, "--service", "other") as server:
        assert server.post("/score", b"env").json[1:] == [str(tmp_path), "other"]  # type: ignore[index]


def test_a_worker_that_dies_is_replaced(start: Start):
    with start(SCORE, "--workers", "2") as server:
        killed, *_ = server.post("/score", b"env").json  # type: ignore[misc]
        os.kill(killed, signal.SIGKILL)
        until(lambda: "died" in server.log, 30, lambda: server.log)
        until(lambda: {reached(server) for _ in range(20)} - {killed, None}, 30, lambda: server.log)
        assert server.stop() == 0


def reached(server: Server) -> object:
    """Which worker answers; None when the connection went to the one that died."""
    try:
        return server.post("/score", b"env").json[0]  # type: ignore[index]
    except OSError:
        return None


def test_a_running_request_is_answered_before_sigterm_ends_the_service(start: Start, tmp_path: Path):
    text = """
import os, pathlib, time
def run(data):
    pathlib.Path("running").touch()
    while not pathlib.Path("go").exists(): time.sleep(0.01)
    return "done"
"""
    from concurrent.futures import ThreadPoolExecutor

    with start(text) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.post, "/score", b"")
        until((tmp_path / "running").exists, 30, lambda: server.log)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "Shutting down" in server.log, 30, lambda: server.log)
        (tmp_path / "go").touch()
        assert answer.result().json == "done"
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_file_that_fails_in_init_ends_the_service_with_1_and_a_traceback(tmp_path: Path, workers: str):
    ended = started_in_vain(tmp_path, "def init(): raise LookupError('no such model')\ndef run(data): pass", workers)
    assert ended.code == 1, ended.err
    assert "LookupError: no such model" in ended.err


def test_a_file_that_no_server_could_call_ends_with_one_sentence(tmp_path: Path):
    ended = started_in_vain(tmp_path, "def run(): pass", "1")
    assert ended.code == 1
    assert "cannot take a request's body; define run(data)" in ended.err
    assert "Traceback" not in ended.err


def started_in_vain(folder: Path, text: str, workers: str) -> Output:
    file = folder / "score.py"
    file.write_text(text)
    return command(verb(file, ("--workers", workers), free_port()), cwd=folder)


def test_rawhttp_is_refused_with_the_way_out(tmp_path: Path):
    text = "from azureml_inference_server_http.api.aml_request import rawhttp\n@rawhttp\ndef run(request): pass"
    assert "host it with modeltap run -- azmlinfsrv --entry_script" in started_in_vain(tmp_path, text, "1").err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def init(): pass", r"it has no function run; define run\(data\)"),
        ("def run(data) return", "Python cannot read it: expected ':'"),
        (None, "there is no such file; check the path"),
    ],
)
def test_a_file_that_cannot_be_served_is_explained_before_anything_starts(
    tmp_path: Path, text: str | None, message: str
):
    if text is not None:
        (tmp_path / "score.py").write_text(text)
    with pytest.raises(SettingsError, match=message):
        serve(tmp_path / "score.py")


@pytest.mark.parametrize(
    ("options", "message"), [({"port": 70_000}, "70000 is no port"), ({"workers": 0}, "0 workers cannot serve")]
)
def test_arguments_that_cannot_be_used_are_explained(tmp_path: Path, options: dict[str, int], message: str):
    (tmp_path / "score.py").write_text(SCORE)
    with pytest.raises(SettingsError, match=message):
        serve(tmp_path / "score.py", **options)  # type: ignore[arg-type]


def test_without_the_packages_the_error_names_the_extra(tmp_path: Path):
    (tmp_path / "score.py").write_text(SCORE)
    script = f"import sys; sys.modules['uvicorn'] = None\nfrom modeltap.serving import serve\nserve({str(tmp_path / 'score.py')!r})"
    ended = command([sys.executable, "-c", script])
    assert 'modeltap serve needs packages that are not installed: pip install "modeltap[serve]"' in ended.err


def test_a_port_that_is_taken_ends_the_service_with_1(start: Start, tmp_path: Path):
    with start() as server:
        port = int(server.url.rpartition(":")[2])
        ended = command(verb(tmp_path / "score.py", (), port), cwd=tmp_path)
    assert ended.code == 1
    assert "address already in use" in ended.err
