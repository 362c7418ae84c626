"""Bursts, and a spool that is full: what was accepted arrives, what was not is counted, and both add up."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

import pytest

from support import bursts
from support.hosts import END_SECONDS, until

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

CALLS = 10_000


def test_a_burst_from_four_processes_is_there_to_the_last_row(host):
    """20,000 calls in half a second: what the original kept 400 rows of."""
    scorers = [host.start([bursts.__file__, f"process-{number}", 5_000]) for number in range(4)]
    told = [json.loads(scorer.communicate(timeout=120)[0]) for scorer in scorers]
    assert [one["accepted"] for one in told] == [5_000] * 4
    host.drain()
    rows = Counter((row["name"], int(row["number"])) for row in host.rows())
    assert rows == Counter((f"process-{number}", call) for number in range(4) for call in range(5_000))
    assert host.status()["shipped_rows"] == host.counters()["accepted"] == 20_000
    assert sum(host.status()["shipped"].values()) == 20_000


@pytest.mark.parametrize("emptied", [True, False], ids=["it is emptied before the end", "it is full at the end"])
def test_a_full_spool_refuses_new_rows_and_every_row_is_accounted_for(host, emptied):
    bound = {"MODELTAP_SPOOL_MAX_BYTES": "1MiB", "MODELTAP_SHIPPER": "none"}
    scorer = host.start([bursts.__file__, "process", CALLS, "wait"], stdin=subprocess.PIPE, **bound)
    try:
        told = json.loads(scorer.stdout.readline())
        assert told["counters"]["rejected"] == {"spool_full": CALLS - told["accepted"]}
        assert told["counters"]["accepted"] == told["accepted"] > 1_000
        assert sum(path.stat().st_size for path in host.spool.glob("*/segments/*")) <= 1 << 20
        if emptied:
            host.drain()
            until(lambda: any(host.spool.glob("*/segments/*")), END_SECONDS, lambda: "no segment is opened again")
        out, err = scorer.communicate(timeout=60)  # ten more rows, then the end
    finally:
        scorer.kill()
        scorer.communicate()
    assert scorer.returncode == 0, err
    before, told = told["accepted"], json.loads(out)
    assert told["accepted"] == before + (10 if emptied else 0)
    host.drain()

    counters, status = host.counters(), host.status()
    assert len(host.rows()) == told["accepted"] == counters["accepted"] == status["shipped_rows"]
    assert counters["accepted"] + counters["rejected:spool_full"] == CALLS + 10
    assert (status["quarantined"], status["dropped"], status["damaged"]) == ({}, {}, {})
    lost = host.rows(tree="modeltap/losses")
    assert {row["reason"] for row in lost} == {"spool_full"}
    assert sum(int(row["rows"]) for row in lost) == counters["rejected:spool_full"]
