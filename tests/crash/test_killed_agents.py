"""Agents that are killed at random instants while rows come, alone and together with the scoring processes."""

from __future__ import annotations

import pytest

from support import killed, killed_agents
from support.hosts import Host
from support.killed import outcome

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

BUSY = {"MODELTAP_SHIPPER": "none", "MODELTAP_SPOOL_MAX_BYTES": "16MiB", "MODELTAP_FLUSH_SECONDS": "0.02"}


@pytest.mark.parametrize(("scorers_killed", "kills"), [("none", 22), ("many", 12)])
def test_every_row_stands_once_however_often_the_agent_is_killed(tmp_path, nightly, scorers_killed, kills):
    for seed in range(100 if nightly else 1):
        host = Host(tmp_path / str(seed), **BUSY)
        receipts = host.folder / "receipts"
        receipts.mkdir(parents=True)
        scorers = host.start([killed.__file__, receipts, scorers_killed, seed])
        try:
            moments = [int(n) for n in host.run([killed_agents.__file__, kills, seed], seconds=300).split()]
            (receipts / "stop").touch()
            told, said = scorers.communicate(timeout=300)
        finally:
            scorers.kill()
            scorers.communicate()
        assert scorers.returncode == 0, said
        shipped = host.arrived()
        killed_then = sum(map(int, told.split()))
        host.drain()
        rows = host.rows()
        (receipts / "stop").unlink()
        found = outcome(receipts, rows)
        print(f"agents killed at start, batch, rows: {moments}; {killed_then} scoring processes killed; {found}")
        assert shipped > len(rows) // 10, "the killed agents have shipped next to nothing"
        assert (found.lost, found.doubled, found.torn, found.unasked) == (0, 0, 0, 0), found
        assert (killed_then > 5) == (scorers_killed == "many")
        assert found.receipts > 1_000
        assert host.status()["shipped_rows"] == len(rows)
        assert host.status()["quarantined"] == {}
