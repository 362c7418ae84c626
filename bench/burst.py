"""A burst of a million rows from one process: every one of them must stand in data.csv."""

from __future__ import annotations

import json
import time

from bench import places
from bench.agent import rows_in

ROWS = 1_000_000


def report() -> None:
    """Measure in a fresh process and print the table."""
    with places.fresh(MODELTAP_SPOOL_MAX_BYTES="4GiB") as environment:
        found = json.loads(places.run("bench.burst", environment))
        stored = rows_in(environment["MODELTAP_STORE"])
    print(f"burst of {ROWS:,} rows of 10 float64, one call each")
    print(f"  in data.csv             {stored:,} ({ROWS - stored:,} missing)")
    print(f"  accepted, shipped       {found['accepted']:,}, {found['shipped']:,}")
    print(f"  collected in            {found['collect_seconds']:.1f} s ({ROWS / found['collect_seconds']:,.0f} rows/s)")
    print(f"  shipped after another   {found['flush_seconds']:.1f} s")


def burst() -> None:
    """Collect as fast as it goes, then wait until all is shipped."""
    import numpy as np

    import modeltap

    collector = modeltap.ModelDataCollector("bench", designation="inputs")
    rows = np.random.default_rng(7).random((1000, 1, 10))
    started = time.monotonic()
    for number in range(ROWS):
        collector.collect(rows[number % 1000])
    collected = time.monotonic()
    if not modeltap.flush(600):
        raise SystemExit(f"not shipped within 600 s: {modeltap.stats()}")
    stats = modeltap.stats()
    seconds = {"collect_seconds": collected - started, "flush_seconds": time.monotonic() - collected}
    print(json.dumps({**{name: stats[name] for name in ("accepted", "shipped")}, **seconds}))
    modeltap.close()


if __name__ == "__main__":
    burst()
