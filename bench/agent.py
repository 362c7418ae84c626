"""How many rows the agent ships per second of its CPU time, and how much memory it takes.

A backlog of single-row frames of 100 float64 columns is laid down with no agent running; then one
agent ships it. The floor is what polars takes to write the same values as CSV in one go.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

from bench import places

ROWS = 200_000


def report() -> None:
    """Measure in fresh processes and print the table."""
    with places.fresh(MODELTAP_SHIPPER="none", MODELTAP_SPOOL_MAX_BYTES="4GiB") as environment:
        places.run("bench.agent", environment, "lay")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        command = [sys.executable, "-m", "modeltap.agent", "--once"]
        command += ["--spool", environment["MODELTAP_SPOOL"], "--store", environment["MODELTAP_STORE"]]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        shipped = rows_in(environment["MODELTAP_STORE"])
        floor = json.loads(places.run("bench.agent", environment, "floor"))
    print(f"agent, backlog of {ROWS:,} single-row frames of 100 float64")
    print(f"  shipped                 {shipped:,} rows in data.csv ({ROWS - shipped:,} missing)")
    print(
        f"  CPU, beside the floor   {cpu / floor['seconds']:.2f}x (polars writes these rows in {floor['seconds']:.2f} s)"
    )
    print(f"  rows per CPU second     {shipped / cpu:,.0f}")
    print(f"  rows per second         {shipped / seconds:,.0f}")
    print(f"  largest memory          {after.ru_maxrss / 1024:.0f} MiB (of all processes of this suite so far)")


def rows_in(store: str) -> int:
    """Rows below the headers of all data files of a store whose cells have no line breaks."""
    count = 0
    for folder, _, names in os.walk(os.path.join(store, "modeldata")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                count += sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1
    return count


def lay() -> None:
    """Collect the rows, one call each."""
    import numpy as np

    import modeltap

    collector = modeltap.ModelDataCollector("bench", designation="inputs")
    rows = np.random.default_rng(7).random((1000, 1, 100))
    for number in range(ROWS):
        if collector.collect(rows[number % 1000]) is None:
            raise SystemExit(f"row {number} was rejected: {modeltap.stats()}")
    modeltap.close()


def floor() -> None:
    """CPU seconds that polars takes to write the rows' values."""
    import io

    import numpy as np
    import polars as pl

    rows = np.random.default_rng(7).random((1000, 100))
    table = pl.from_numpy(np.tile(rows, (ROWS // 1000, 1)))
    started = time.process_time()
    for start in range(0, ROWS, 2000):
        table[start : start + 2000].write_csv(io.BytesIO(), include_header=False)
    print(json.dumps({"seconds": time.process_time() - started}))


if __name__ == "__main__":
    {"lay": lay, "floor": floor}[sys.argv[1]]()
