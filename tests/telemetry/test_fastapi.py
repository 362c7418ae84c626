"""A FastAPI service on uvicorn: every way in which an endpoint runs, hundreds of requests at once."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from support.servers import EXAMPLES, collecting, joined, rows_of, serving, trained, until, wines

pytestmark = pytest.mark.timeout(300)  # frames, models and servers load slowly on a busy machine

APPS = Path(__file__).resolve().parents[1] / "support" / "apps"
WAYS = ("/sync", "/async", "/threadpool", "/background", "/stream")
EACH = 200


def test_every_pair_is_joined_however_the_endpoint_runs(tmp_path: Path):
    def uvicorn(port: int) -> list[str]:
        return [sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), "--port", str(port), "fastapi_app:app"]

    total = EACH * len(WAYS)
    with serving(uvicorn, collecting(tmp_path, "fastapi"), tmp_path) as server:
        for place, way in enumerate(WAYS):
            numbers = range(place * EACH, (place + 1) * EACH)
            answers = server.post_many(way, [{"number": number} for number in numbers], at_once=16)
            assert [answer.json for answer in answers] == [{"doubled": 2 * number} for number in numbers], way
            assert len({answer.headers["x-request-id"] for answer in answers}) == EACH
    pairs = joined(rows_of(tmp_path, "inputs", total), rows_of(tmp_path, "predictions", total))
    assert sorted(int(row["number"]) for row, _ in pairs) == list(range(total))
    assert all(int(prediction["doubled"]) == 2 * int(row["number"]) for row, prediction in pairs)
    assert len({row["$RequestId"] for row, _ in pairs}) == total


def test_what_waits_is_shipped_before_uvicorn_ends_by_its_signal(tmp_path: Path):
    def uvicorn(port: int) -> list[str]:
        return [sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), "--port", str(port), "fastapi_app:app"]

    environment = collecting(tmp_path, "fastapi", MODELTAP_FLUSH_SECONDS="3600")
    with serving(uvicorn, environment, tmp_path) as server:
        server.post_many("/sync", [{"number": number} for number in range(50)], at_once=4)
        until(lambda: list(tmp_path.glob("spool/*/status.json")), 60, lambda: "no agent came")
        assert server.stop() == -signal.SIGTERM
        assert len(rows_of(tmp_path, "inputs")) == len(rows_of(tmp_path, "predictions")) == 50


def test_the_example_app_collects_what_its_wrapped_model_predicts(tmp_path: Path):
    def uvicorn(port: int) -> list[str]:
        return [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port), "app:app"]

    rows = wines(60)
    environment = collecting(tmp_path, "wine", AZUREML_MODEL_DIR=str(trained()))
    with serving(uvicorn, environment, tmp_path) as server:
        answers = server.post_many("/score", [{"data": [row, row]} for row in rows], at_once=4)
    assert {answer.status for answer in answers} == {200}
    pairs = joined(rows_of(tmp_path, "inputs", 120), rows_of(tmp_path, "predictions", 120))
    assert len(pairs) == 120
    assert len({row["$RequestId"] for row, _ in pairs}) == 60
    assert {row["$Row"] for row, _ in pairs} == {"0", "1"}
    assert {float(row["alcohol"]) for row, _ in pairs} == {row["alcohol"] for row in rows}
