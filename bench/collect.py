"""What a call of ``collect()`` costs, beside the floor: copy the row and read the clock.

The cases take turns in short rounds, so that a busy machine slows all alike; a figure is the median
over the rounds of that round's percentile, a ratio the median of the ratios within the rounds.
"""

from __future__ import annotations

import gc
import json
import os
import time
import zlib
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import places

ROUNDS = 60
CALLS = 500


def report() -> None:
    """Measure in a fresh process and print the table."""
    with places.fresh(MODELTAP_SHIPPER="none", MODELTAP_SPOOL_MAX_BYTES="16GiB") as environment:
        rows = json.loads(places.run("bench.collect", environment))
    print("collect(), one call            x floor     p50 us   p99 us  p99.9 us   floor")
    for row in rows:
        print(
            f"{row['case']:<28} {row['ratio']:>8.1f}x {row['p50']:>10.2f} {row['p99']:>8.2f} {row['p999']:>9.2f}"
            f"   {row['floor']} {row['floor_p50']:.2f} us"
        )


def measure() -> list[dict[str, Any]]:
    """All cases, interleaved with their floors."""
    cases, floors = _cases()
    samples: dict[str, list[list[float]]] = {name: [] for name in (*cases, *floors)}
    for _ in range(ROUNDS):
        for name, call in {**floors, **{name: call for name, (call, _) in cases.items()}}.items():
            samples[name].append(_round(call))
    return [_row(name, floor, samples) for name, (_, floor) in cases.items()]


def _row(name: str, floor: str, samples: dict[str, list[list[float]]]) -> dict[str, Any]:
    rounds, floors = samples[name], samples[floor]
    flat = sorted(value for found in rounds for value in found)
    return {
        "case": name,
        "floor": floor,
        "ratio": median(median(a) / median(b) for a, b in zip(rounds, floors, strict=True)),
        "p50": median(median(found) for found in rounds),
        "p99": flat[int(len(flat) * 0.99)],
        "p999": flat[int(len(flat) * 0.999)],
        "floor_p50": median(median(found) for found in floors),
    }


def _round(call: Callable[[], object]) -> list[float]:
    clock, times = time.perf_counter_ns, []
    for _ in range(20):
        call()
    for _ in range(CALLS):
        before = clock()
        call()
        times.append((clock() - before) / 1000)
    return times


def _cases() -> tuple[dict[str, tuple[Callable[[], object], str]], dict[str, Callable[[], object]]]:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    import modeltap

    random = np.random.default_rng(7)
    row, narrow, block = random.random((1, 100)), random.random((1, 10)), random.random((100, 100))
    flat = [float(value) for value in random.random(20)]
    record = {f"k{place}": (1.5, 2, "abc", True)[place % 4] for place in range(20)}
    frame = pd.DataFrame(
        {f"f{place}": [1.5] for place in range(8)}
        | {f"i{place}": [place] for place in range(6)}
        | {f"s{place}": ["abc"] for place in range(4)}
        | {"b0": [True], "b1": [False]}
    )
    handle = os.open(os.path.join(os.environ["MODELTAP_SPOOL"] + "-floor"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def write_block() -> None:
        data = block.tobytes()
        zlib.crc32(data)
        os.write(handle, data)

    def collector(name: str) -> Any:
        return modeltap.ModelDataCollector(name, designation="inputs")

    def in_request(name: str, value: Any) -> Callable[[], object]:
        collect = collector(name).collect

        def call() -> object:
            return collect(value)["$aml_request_id"]

        return call

    scope = modeltap.request()
    scope.__enter__()  # the figures are those of calls inside a request
    model = LinearRegression().fit(random.random((50, 10)), random.random(50))
    wrapped = modeltap.wrap(model, "wrapped")
    gc.collect()
    copy = "copy + clock"
    cases = {
        "1x10 float64": (in_request("a", narrow), copy),
        "1x100 float64": (in_request("b", row), copy),
        "flat list of 20": (in_request("c", flat), copy),
        "dict of 20, mixed": (in_request("d", record), copy),
        "1x20 mixed pandas frame": (in_request("e", frame), copy),
        "100x100 float64": (in_request("f", block), "tobytes + crc32 + write"),
        "wrap(model).predict": (lambda: wrapped.predict(narrow), "model.predict"),
    }
    floors: dict[str, Callable[[], object]] = {
        copy: lambda: (row.copy(), time.time_ns()),
        "tobytes + crc32 + write": write_block,
        "model.predict": lambda: model.predict(narrow),
    }
    return cases, floors


if __name__ == "__main__":
    print(json.dumps(measure()))
