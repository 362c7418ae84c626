"""Forks while other threads collect, and pools of forked workers: nothing lost, nothing doubled, no deadlock."""

from __future__ import annotations

from collections import Counter

import pytest
from support import forking

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

FORKS = 200


@pytest.mark.parametrize("shipper", ["process", "thread"])
def test_a_fork_in_the_midst_of_collecting_loses_nothing(host, nightly, shipper):
    forks = 50 * FORKS if nightly else FORKS
    how = {"MODELTAP_SHIPPER": shipper, "MODELTAP_SPOOL_MAX_BYTES": "32MiB"}
    parent, children = map(int, host.run([forking.__file__, forks], seconds=800, **how).split())
    host.drain()
    rows = Counter((row["name"], row["number"]) for row in host.rows())
    own = sum(name.startswith("thread-") for name, _ in rows)
    assert set(rows.values()) == {1}
    assert (own, len(rows) - own) == (parent, children)
    assert children == forks * forking.ROWS
    requests = {row["$RequestId"] for row in host.rows()}
    assert len(requests) == len(rows), "two requests have one id"
