"""Tables: cut into frames that never exceed their bound, and snapshots of what they were made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

import modeltap
from modeltap.capture.cells import Refused
from modeltap.capture.tables import Block, Cells, Parts, Table, frames_of
from modeltap.spool.frame import MAX_FRAME_BYTES
from support.spooled import Refusal, Spooled

ROWS = 30_000
USERS = [f"user-{number}" for number in range(ROWS)]


def block(rows: int) -> Block:
    return Block(rows, 1, "int64", np.arange(rows, dtype="<i8").tobytes())


def cells(rows: int) -> Cells:
    return Cells(rows, ("int64", "string"), [*range(rows), *map(str, range(rows))])


def parts(rows: int) -> Parts:
    return Parts(rows, ("int64", "json"), [np.arange(rows, dtype="<i8").tobytes(), [f"[{n}]" for n in range(rows)]])


@pytest.mark.parametrize("make", [block, cells, parts])
@pytest.mark.parametrize("limit", [100, 1000, 10**6])
def test_a_table_is_cut_into_whole_rows_that_fit(make: Any, limit: int):
    table: Table = make(100)
    pieces = frames_of(table, limit)
    assert all(len(payload) <= limit for _, _, payload in pieces)
    assert [start for start, _, _ in pieces] == [0, *np.cumsum([rows for _, rows, _ in pieces]).tolist()[:-1]]
    assert sum(rows for _, rows, _ in pieces) == 100
    assert b"".join(make(100).part(start, start + rows).payload() for start, rows, _ in pieces) == b"".join(
        payload for _, _, payload in pieces
    )


def test_the_ids_of_the_rows_take_their_part_of_the_room():
    pieces = frames_of(block(100), 1000, lambda start, stop: 100 * (stop - start))
    assert max(rows for _, rows, _ in pieces) <= 9
    with pytest.raises(Refused, match="row_too_large"):
        frames_of(block(2), 1000, lambda start, stop: 1000 * (stop - start))


def test_one_row_that_does_not_fit_is_refused(refusal: Refusal):
    assert refusal([["x" * (1 << 20)]]) == {"row_too_large": 1}
    assert refusal([["x" * (1 << 20)], ["y"]]) == {"row_too_large": 2}


def all_frames_fit(spooled: Spooled) -> bool:
    return all(len(frame.payload) < MAX_FRAME_BYTES for frame in spooled.frames())


def test_a_large_block_is_cut_and_its_rows_count_on(spooled: Spooled):
    values = np.random.default_rng(0).random((ROWS, 10))
    assert modeltap.ModelDataCollector("m", "inputs").collect(values) is not None
    assert len(spooled.frames()) >= 3
    assert all_frames_fit(spooled)
    assert [row.row for row in spooled.rows()] == list(range(ROWS))
    assert spooled.values() == list(map(tuple, values.tolist()))
    assert modeltap.stats()["accepted"] == ROWS


def test_rows_with_ids_of_their_own_fit_frames_too(spooled: Spooled):
    assert modeltap.ModelDataCollector("m", "inputs").collect(np.zeros((ROWS, 1)), USERS) is not None
    assert all_frames_fit(spooled)
    assert [(row.row, row.correlation_id) for row in spooled.rows()] == list(enumerate(USERS))


def test_rows_with_carried_ids_fit_frames_too(spooled: Spooled):
    inputs = modeltap.ModelDataCollector("m", "inputs")
    predictions = modeltap.ModelDataCollector("m", "predictions")
    correlations = inputs.collect(np.zeros((ROWS, 1)), USERS)
    frame = predictions.add_correlations(pd.DataFrame({"y": range(ROWS)}), correlations)
    assert predictions.collect(frame.iloc[::-1]) is not None
    found = spooled.rows("predictions")
    assert [(row.row, row.correlation_id) for row in found] == list(enumerate(USERS))[::-1]
    assert [row.data for row in found] == [(number,) for number in reversed(range(ROWS))]


def test_rows_of_text_without_end_are_cut_too(spooled: Spooled):
    rows = [{"text": "é" * 5000, "n": number} for number in range(500)]
    assert modeltap.ModelDataCollector("m", "inputs").collect(rows) is not None
    assert len(spooled.frames()) > 4
    assert [row.cells for row in spooled.rows()] == rows


# ---- snapshots


def mutable() -> list[tuple[Any, Any]]:
    """Values, and what spoils each of them in place."""
    nested = {"tags": ["a"], "at": {"k": [1]}}
    array = np.arange(4.0).reshape(2, 2)
    text = np.array([["a", "b"]], dtype=object)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    many = pd.DataFrame({"a": np.arange(100.0), "o": [[n] for n in range(100)]})
    raw = bytearray(b"ab")
    records = [{"a": 1, "n": [1]}, {"a": 2, "n": [2]}]
    numbers = pd.DataFrame(np.arange(40.0).reshape(20, 2))
    column = [1, 2]
    return [
        (nested, lambda: (nested["tags"].append("b"), nested["at"].clear())),
        (array, lambda: array.fill(9)),
        (array.T, lambda: array.fill(8)),
        (text, lambda: text.fill("z")),
        (frame, lambda: frame.__setitem__("a", 9)),
        (many, lambda: [value.append(0) for value in many["o"]]),
        ([[raw]], raw.clear),
        (records, lambda: [record.update(a=9, n=[]) for record in records]),
        (numbers, lambda: numbers.__iadd__(1)),
        ({"a": column}, lambda: column.append(3)),
    ]


@pytest.mark.parametrize("place", range(len(mutable())))
def test_what_was_collected_does_not_change_with_the_callers_value(spooled: Spooled, place: int):
    value, spoil = mutable()[place]
    before, _ = mutable()[place]
    collector = modeltap.ModelDataCollector("m", "inputs")
    assert collector.collect(value) is not None
    spoil()
    collector.collect(before)
    rows = spooled.rows()
    assert [row.data for row in rows[: len(rows) // 2]] == [row.data for row in rows[len(rows) // 2 :]]


@pytest.mark.parametrize(
    "value",
    [
        [[1, "x"], [2, None]],
        {"a": [1, 2]},
        np.arange(4.0).reshape(2, 2),
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pl.DataFrame({"a": [1, 2]}),
        pa.table({"a": [1, 2]}),
        scipy.sparse.csr_array(np.eye(2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_collecting_changes_nothing_of_the_callers_value(spooled: Spooled, value: Any):
    inputs = modeltap.ModelDataCollector("m", "inputs")
    before = repr(value)
    correlations = inputs.collect(value)
    inputs.add_correlations(value, correlations)
    assert repr(value) == before
