"""The scoring service of the demo: ``modeltap serve`` in a child process, from start to end."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from modeltap.cli.tour.folder import DemoFolder
from modeltap.errors import ModeltapError

START_SECONDS = 60.0
END_SECONDS = 20.0
_LISTENS = re.compile(rb"running on http://([0-9.]+):(\d+)")


class ScoringService:
    """A running service; a context manager that ends it.

    Args:
        folder: whose scoring file.
        workers: processes.
        port: where, 0 for a free port.
    """

    def __init__(self, folder: DemoFolder, *, workers: int, port: int = 0) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self._folder = folder
        self._workers = workers
        self._log = folder.path / "service.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "modeltap", "serve", str(self._folder.score), "--host", self.host]
        command += ["--port", str(self.port), "--workers", str(self._workers)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._folder.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the service as a host would, with SIGTERM; idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            found = _LISTENS.search(self._log.read_bytes())
            if found:
                self.port = int(found[2])
                if self._answers():
                    return
            time.sleep(0.05)
        raise ModeltapError(f"starting the scoring service: it does not answer; {self._log} says why")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
