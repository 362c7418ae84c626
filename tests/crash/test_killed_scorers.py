"""Scoring processes that are killed at random instants: an accepted row is not lost, not doubled, not torn."""

from __future__ import annotations

import pytest

from support import killed
from support.hosts import Host
from support.killed import outcome

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

SMALL_SEGMENTS = {"MODELTAP_SPOOL_MAX_BYTES": "4MiB", "MODELTAP_FLUSH_SECONDS": "0.2"}
KILLS = 60
NIGHTLY_ROUNDS = 170


def test_what_was_accepted_before_kill_9_stands_exactly_once(tmp_path, nightly):
    """Killed in the first call, in rotation, while a child is forked, at exit; an agent ships meanwhile."""
    for seed in range(NIGHTLY_ROUNDS if nightly else 1):
        host = Host(tmp_path / str(seed), **SMALL_SEGMENTS)
        try:
            _kill(host, seed)
        finally:
            host.close()


def _kill(host: Host, seed: int) -> None:
    receipts = host.folder / "receipts"
    receipts.mkdir(parents=True)
    first, midst, end = map(int, host.run([killed.__file__, receipts, KILLS, seed], seconds=300).split())
    host.drain()
    rows = host.rows()
    found = outcome(receipts, rows)
    print(f"{KILLS} kills: {first} before the first receipt, {midst} midst, {end} at the end; {found}")
    assert (found.lost, found.doubled, found.torn, found.unasked) == (0, 0, 0, 0), found
    assert first, "no process was killed in its first call"
    assert midst > 1, "no process was killed between two calls"
    assert end, "no process was killed at its end"
    assert found.receipts > 1_000
    assert host.status()["shipped_rows"] == len(rows)
