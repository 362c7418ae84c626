"""Connections of ``modeltap serve``: an answer leaves at once, with one worker and with several."""

from __future__ import annotations

import sys

import pytest

from support.servers import collecting, serving

SCORE = """
import os, socket

def run(data):
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            connection = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        with connection:
            try:
                connection.getpeername()
                found.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            except OSError:
                pass
    return found
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_no_answer_waits_for_a_delayed_acknowledgement(tmp_path, workers):
    (tmp_path / "score.py").write_text(SCORE)

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "modeltap", "serve", "score.py", "--port", str(port), "--workers", workers]

    with serving(command, collecting(tmp_path, "svc"), tmp_path) as server:
        assert set(server.post("/score", {}).json) == {1}
