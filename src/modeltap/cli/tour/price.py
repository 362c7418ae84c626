"""What one ``collect()`` costs the scoring process: measured in this process, on a real row."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import modeltap

CALLS = 5000
WARM_UP_CALLS = 500


def microseconds_per_collect(columns: Sequence[str], row: Sequence[Any]) -> float:
    """The median of ``collect()`` of one row, an array of numbers as the scoring file has it, in microseconds.

    Nothing is shipped: the rows go to a spool that is thrown away.
    """
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="modeltap-demo-") as folder:
        before = dict(os.environ)
        own = {"MODELTAP_STORE": os.path.join(folder, "store"), "MODELTAP_SPOOL": os.path.join(folder, "spool")}
        os.environ.update(own | {"MODELTAP_SHIPPER": "none"})
        try:
            return _median_microseconds(columns, np.array([row], dtype=float))
        finally:
            modeltap.close()
            os.environ.clear()
            os.environ.update(before)


def _median_microseconds(columns: Sequence[str], rows: object) -> float:
    collector = modeltap.ModelDataCollector("tumour", designation="inputs", feature_names=list(columns))
    taken = []
    for _ in range(WARM_UP_CALLS + CALLS):
        started = time.perf_counter_ns()
        collector.collect(rows)
        taken.append(time.perf_counter_ns() - started)
    return statistics.median(taken[WARM_UP_CALLS:]) / 1000
