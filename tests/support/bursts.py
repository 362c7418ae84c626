"""A scoring process that collects rows in one burst.

As a script: ``python bursts.py NAME CALLS [WAIT]``: collects, tells as JSON how many rows were accepted and the
process's own counters, and, when it is to wait, stays until its input is closed, tells the counters again and ends.
"""

from __future__ import annotations

import json
import sys

import modeltap


def main(name: str, calls: int, *, wait: bool) -> None:
    """Collect."""
    collector = modeltap.ModelDataCollector("model", "inputs", feature_names=["name", "number", "text"])
    text = "x" * (200 if wait else 20)
    accepted = sum(collector.collect([[name, number, text]]) is not None for number in range(calls))
    _tell(accepted)
    if wait:
        sys.stdin.read()
        accepted += sum(collector.collect([[name, number, text]]) is not None for number in range(calls, calls + 10))
        _tell(accepted)


def _tell(accepted: int) -> None:
    counters = modeltap.stats()
    print(json.dumps({"accepted": accepted, "counters": counters}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), wait="wait" in sys.argv)
