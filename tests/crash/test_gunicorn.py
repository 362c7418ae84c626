"""A real gunicorn that loads the service before it forks its workers."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from support.hosts import END_SECONDS, until
from support.servers import BIN, joined, serving

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

WORKERS = 4
REQUESTS = 300


@pytest.mark.parametrize("shipper", ["process", "thread"])
def test_each_row_of_each_request_stands_once_and_nothing_holds_the_port(host, shipper):
    def gunicorn(port: int) -> list[str]:
        options = ["-b", f"127.0.0.1:{port}", "-w", str(WORKERS), "--threads", "2", "--preload"]
        return [str(BIN / "gunicorn"), *options, "support.apps.preload_app:app"]

    with serving(gunicorn, {**host.environment, "MODELTAP_SHIPPER": shipper}, host.folder) as server:
        bodies = [{"numbers": [3 * number, 3 * number + 1, 3 * number + 2]} for number in range(REQUESTS)]
        answers = server.post_many("/score", bodies[: REQUESTS // 2], at_once=8)
        if shipper == "process":
            _kill_the_agent_and_await_the_next(host)  # which is started while the port is open
        answers += server.post_many("/score", bodies[REQUESTS // 2 :], at_once=8)
        assert {answer.status for answer in answers} == {200}, server.log
        assert len({answer.json["pid"] for answer in answers}) == WORKERS
        assert server.get("/").json["sigterm"].startswith("gunicorn.")
        assert server.stop() == 0, server.log
        agents = host.agents()
        assert len(agents) == (shipper == "process")
        _listen(int(server.url.rpartition(":")[2]))
        assert host.agents() == agents, "the agent had ended before the port was tried"

    host.drain()
    pairs = joined(host.rows("inputs"), host.rows("predictions"))
    assert sorted(int(row["number"]) for row, _ in pairs) == list(range(-1, 3 * REQUESTS))
    assert all(int(prediction["doubled"]) == 2 * int(row["number"]) for row, prediction in pairs)
    assert len({row["$RequestId"] for row, _ in pairs}) == REQUESTS + 1
    assert host.status()["shipped_rows"] == host.counters()["accepted"] == 2 * len(pairs)
    host.wait_until_agents_end()


def _kill_the_agent_and_await_the_next(host) -> None:
    until(host.agents, END_SECONDS, lambda: "there is no agent")
    (first,) = host.agents()
    os.kill(first, signal.SIGKILL)
    until(lambda: set(host.agents()) - {first}, END_SECONDS, lambda: "there is no other agent")


def _listen(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen()
