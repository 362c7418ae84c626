"""Servers of the tests: started on a free port of 127.0.0.1, asked, ended, and their store read back."""

from __future__ import annotations

import atexit
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent
START_SECONDS = 120
STOP_SECONDS = 30
SHIP_SECONDS = 120
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


Row = dict[str, str]


class Answer(NamedTuple):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


class Server:
    """A server process that answers below ``url``."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
        return call(self.url + path, headers=headers)

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return call(self.url + path, data, {"content-type": "application/json", **(headers or {})})

    def post_many(self, path: str, bodies: Sequence[object], at_once: int) -> list[Answer]:
        """The answers to many requests, ``at_once`` of them under way together, in their order."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda body: self.post(path, body), bodies))

    def stop(self) -> int:
        """End it as a container runtime does, with SIGTERM; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise


@contextmanager
def serving(
    command: Callable[[int], Sequence[str]], environment: Mapping[str, str], folder: Path, ready: str = "/"
) -> Iterator[Server]:
    """A server for the length of a block.

    ``command`` makes the arguments from a port; ``ready`` is a path that answers below 500 once it serves.
    """
    port = free_port()
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command(port)],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        until(lambda: _answers(server, ready), START_SECONDS, lambda: f"the server is not there:\n{server.log}")
        yield server
    finally:
        server.stop()


def collecting(folder: Path, service: str, **variables: str) -> dict[str, str]:
    """An environment in which a server collects into ``folder/store`` and ships before it ends."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MODELTAP_", "AZUREML_", "AML_"))}
    paths = [str(ROOT / "src"), *filter(None, [kept.get("PYTHONPATH")])]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join([str(BIN), kept.get("PATH", "")]),
        "MODELTAP_STORE": str(folder / "store"),
        "MODELTAP_SPOOL": str(folder / "spool"),
        "MODELTAP_SERVICE": service,
        "MODELTAP_FLUSH_SECONDS": "0.2",
        "MODELTAP_EXIT_FLUSH_SECONDS": "20",
        **variables,
    }


def rows_of(folder: Path, designation: str, at_least: int = 0) -> list[Row]:
    """The collected rows of a designation, once there are as many as expected."""
    store = folder / "store"
    until(
        lambda: len(_read(store, designation)) >= at_least,
        SHIP_SECONDS,
        lambda: f"{len(_read(store, designation))} of {at_least} rows of {designation} came to {store}",
    )
    return _read(store, designation)


def joined(inputs: Sequence[Row], predictions: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Inputs and predictions joined as everybody joins them, by request and row; none may be left over."""
    found = {(row["$RequestId"], row["$Row"]): row for row in predictions}
    pairs = [(row, found.pop((row["$RequestId"], row["$Row"]))) for row in inputs]
    if found or len(pairs) != len(predictions):
        raise AssertionError(f"{len(inputs)} inputs and {len(predictions)} predictions make {len(pairs)} pairs")
    return pairs


@cache
def trained() -> Path:
    """A folder with the model of the examples, for this run of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="modeltap-tests-"))
    atexit.register(shutil.rmtree, folder)
    subprocess.run([sys.executable, str(EXAMPLES / "train.py"), str(folder)], check=True)
    return folder


def wines(count: int) -> list[dict[str, float]]:
    """Rows for that model, by name."""
    from sklearn.datasets import load_wine

    return list(load_wine(as_frame=True).data.head(count).to_dict("records"))


def call(url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = "") -> Answer:
    """One HTTP request; an answer of any status is an answer."""
    request = urllib.request.Request(url, data, dict(headers or {}), method=method or None)
    try:
        with _OPENER.open(request, timeout=60) as response:
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def until(condition: Callable[[], object], seconds: float, problem: Callable[[], str]) -> None:
    """Poll a condition until it holds; fails with a text that says what was there instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(problem())
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: Server, path: str) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.log}")
    try:
        return server.get(path).status < 500
    except OSError:
        return False


def _read(store: Path, designation: str) -> list[Row]:
    rows: list[Row] = []
    for file in sorted(store.glob(f"modeldata/*/*/*/*/*/*/{designation}/*/*/*/data*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            rows.extend(csv.DictReader(lines))
    return rows
