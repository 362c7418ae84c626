"""Requests to the demo's service: real held-out rows, one to three at a time, now and then one that fails."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any, NamedTuple

from modeltap.errors import ModeltapError

CLIENTS = 4
FAILING_EVERY = 200
"""One request in so many has a row with a missing measure, which the model refuses."""
LONGEST_SECONDS = 20.0
"""Then no further request is begun, so that the demo ends on a slow machine too."""
REQUESTS_PER_CONNECTION = 100
"""Then a new connection, so that all workers get their share."""


class Replay(NamedTuple):
    """What came of the requests.

    Attributes:
        answered: with a prediction.
        failed: with the service's JSON 500.
        rows: sent, in all requests.
        seconds: from the first to the last.
    """

    answered: int
    failed: int
    rows: int
    seconds: float


def bodies(rows: Sequence[Sequence[Any]], count: int) -> Iterator[tuple[bytes, int]]:
    """The bodies of ``count`` requests, each with its number of rows."""
    endless = cycle(rows)
    for number in range(1, count + 1):
        sent = [list(row) for row in islice(endless, 1 + number % 3)]
        if number % FAILING_EVERY == 0:
            sent[0][0] = None
        yield json.dumps({"data": sent}).encode(), len(sent)


def replay(
    address: tuple[str, int], rows: Sequence[Sequence[Any]], count: int, progress: Callable[[int], None]
) -> Replay:
    """Send ``count`` requests from several clients at once, for ``LONGEST_SECONDS`` at most.

    Args:
        address: host and port of the service.
        rows: what to send, again from the start when they are through.
        count: requests.
        progress: is told how many are through.

    Raises:
        ModeltapError: the service stopped answering.
    """
    started = time.monotonic()
    clients = [_Client(address, list(bodies(rows, count))[first::CLIENTS]) for first in range(CLIENTS)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        clients[0].join(0.1) if clients[0].is_alive() else time.sleep(0.02)
        progress(sum(client.answered + client.failed for client in clients))
    for client in clients:
        if client.error:
            raise ModeltapError(f"sending requests to {address[0]}:{address[1]}: {client.error}; see service.log")
    answered, failed = sum(client.answered for client in clients), sum(client.failed for client in clients)
    return Replay(answered, failed, sum(client.rows for client in clients), time.monotonic() - started)


class _Client(threading.Thread):
    def __init__(self, address: tuple[str, int], work: list[tuple[bytes, int]]) -> None:
        super().__init__(daemon=True)
        self.answered = self.failed = self.rows = 0
        self.error = ""
        self._address, self._work = address, work
        self._deadline = time.monotonic() + LONGEST_SECONDS

    def run(self) -> None:
        try:
            for start in range(0, len(self._work), REQUESTS_PER_CONNECTION):
                self._send(self._work[start : start + REQUESTS_PER_CONNECTION])
        except (OSError, http.client.HTTPException) as error:
            self.error = f"{error!r}"

    def _send(self, work: list[tuple[bytes, int]]) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            for body, rows in work:
                if time.monotonic() > self._deadline:
                    return
                connection.request("POST", "/score", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                self.answered += response.status == 200
                self.failed += response.status != 200
                self.rows += rows
        finally:
            connection.close()
