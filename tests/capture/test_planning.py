"""Names and types of columns, as one collector remembers them."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

import modeltap
from modeltap.capture.cells import Refused
from modeltap.capture.planning import MAX_FRAME_ROWS, MAX_PLANNED_COLUMNS, MAX_SCHEMAS, Planner
from modeltap.capture.tables import Block, Cells
from modeltap.core.key import CollectionKey
from support.spooled import Refusal, Spooled, Taken

KEY = CollectionKey("sub", "rg", "ws", "svc", "m", "1", "inputs")
FEATURES = ["age", "income", "name"]


def types_after(spooled: Spooled, *values: Any, names: list[str] | None = None) -> list[tuple[str, ...]]:
    """The column types of each call of one collector."""
    collector = modeltap.ModelDataCollector("m", "inputs", feature_names=names)
    for value in values:
        assert collector.collect(value) is not None
    return [frame.descriptor.schema.types for frame in spooled.frames()]


# ---- sticky types


def test_an_integer_beside_earlier_floats_is_a_float(spooled: Spooled):
    assert types_after(spooled, [[0.5, 1]], [[3, 2]], [[4, 0.25]], [[5, 6]]) == [
        ("float64", "int64"),
        ("float64", "int64"),
        ("float64", "float64"),
        ("float64", "float64"),
    ]
    assert spooled.values() == [(0.5, 1), (3, 2), (4, 0.25), (5, 6)]


def test_an_integer_that_is_no_float_keeps_its_type_and_changes_nothing(spooled: Spooled):
    large = 2**53 + 1
    assert types_after(spooled, {"a": 0.5}, {"a": large}, {"a": 3}, {"a": -large}) == [
        ("float64",),
        ("int64",),
        ("float64",),
        ("int64",),
    ]
    assert spooled.values() == [(0.5,), (large,), (3,), (-large,)]


def test_a_column_of_nulls_has_the_type_of_its_last_values(spooled: Spooled):
    assert types_after(spooled, [[None]], [["x"]], [[None]], [[1.5]], [[None]]) == [
        ("null",),
        ("string",),
        ("string",),
        ("float64",),
        ("float64",),
    ]


def test_integers_that_an_array_says_are_integers_stay_integers(spooled: Spooled):
    assert types_after(spooled, np.array([[0.5]]), np.array([[3]]), [[3]]) == [("float64",), ("int64",), ("float64",)]


def test_not_a_number_in_a_column_of_text_is_null_in_whatever_call_it_comes(spooled: Spooled):
    found = types_after(
        spooled,
        {"age": 30.5, "name": "x", "ok": True},
        {"age": 31.5, "name": math.nan, "ok": math.nan},
        {"age": math.nan, "name": "y", "ok": math.nan},
        [{"age": 1.5, "name": math.nan, "ok": False}, {"age": 2.5, "name": None, "ok": True}],
        pd.DataFrame({"age": [1.5], "name": pd.Series([math.nan], dtype=object), "ok": [False]}),
    )
    assert set(found) == {("float64", "string", "bool")}
    assert repr(spooled.values()) == repr(
        [
            *[(30.5, "x", True), (31.5, None, None), (math.nan, "y", None)],
            *[(1.5, None, False), (2.5, None, True), (1.5, None, False)],
        ]
    )


def test_not_a_number_in_a_column_of_numbers_is_not_a_number(spooled: Spooled):
    assert set(types_after(spooled, [[1.5, 2]], [[math.nan, 3]], [[math.nan, 4]])) == {("float64", "int64")}
    assert repr(spooled.values()[1:]) == "[(nan, 3), (nan, 4)]"


def test_a_number_in_a_column_of_text_is_a_number(spooled: Spooled):
    assert types_after(spooled, {"a": "x"}, {"a": 1.5}, {"a": "y"}) == [("string",), ("float64",), ("string",)]


def test_missing_values_in_any_of_many_columns_make_no_schemas(spooled: Spooled):
    generator = np.random.default_rng(0)
    collector = modeltap.ModelDataCollector("m", "inputs")
    whole = {f"t{place}": "x" for place in range(12)} | {f"n{place}": 1 for place in range(12)}
    collector.collect(whole | {f"n{place}": 0.5 for place in range(12)})
    for _ in range(300):
        missing = [name for name in whole if generator.random() < 0.3]
        assert collector.collect(whole | dict.fromkeys(missing, math.nan)) is not None
    assert len({frame.descriptor.schema.id for frame in spooled.frames()}) == 1


def test_batches_of_pandas_with_missing_whole_numbers_are_all_taken(spooled: Spooled):
    generator = np.random.default_rng(0)
    collector = modeltap.ModelDataCollector("m", "inputs")
    for _ in range(300):
        rows = [{f"n{place}": place if generator.random() < 0.98 else None for place in range(12)} for _ in range(20)]
        assert collector.collect(pd.DataFrame(rows)) is not None, modeltap.stats()["rejected"]
    assert {value for row in spooled.rows() for value in row.data if value == value} == set(range(12))


# ---- widths and names


@pytest.mark.parametrize(
    ("value", "names", "mismatches"),
    [
        ([[1, 2, 3]], ("age", "income", "name"), 0),
        ([[1, 2]], ("age", "income"), 1),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], ("age", "income", "name", "c3"), 2),
        (np.array([[1.0], [2.0]]), ("age",), 2),
        ({"z": 1}, ("z",), 0),
        (pd.DataFrame({"a": [1], "b": [2]}), ("a", "b"), 0),
        (0.5, ("age",), 1),
        ([], None, 0),
    ],
)
def test_the_width_never_rejects_and_is_counted(
    spooled: Spooled, value: Any, names: tuple[str, ...] | None, mismatches: int
):
    collector = modeltap.ModelDataCollector("m", "inputs", feature_names=FEATURES)
    assert collector.collect(value) is not None
    assert [frame.descriptor.schema.names for frame in spooled.frames()] == ([names] if names else [])
    assert modeltap.stats()["width_mismatch"] == mismatches
    assert modeltap.stats()["rejected"] == {}


def test_the_originals_own_example_names_two_predictions_and_collects_one(spooled: Spooled):
    names = ["prediction1", "prediction2"]
    collector = modeltap.ModelDataCollector("best_model", identifier="predictions", feature_names=names)
    assert collector.collect([0.25]) is not None
    assert [row.cells for row in spooled.rows()] == [{"prediction1": 0.25}]
    assert modeltap.stats()["width_mismatch"] == 1


def test_without_feature_names_columns_are_numbered_and_nothing_is_a_mismatch(spooled: Spooled):
    modeltap.ModelDataCollector("m", "inputs").collect([[1, 2]])
    assert spooled.rows()[0].cells == {"c0": 1, "c1": 2}
    assert modeltap.stats()["width_mismatch"] == 0


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a", "a", "A", "", None, "$Row", 7], ("a", "a_2", "A_3", "c3", "None", "_$Row", "7")),
        (("x",), ("x", "c1", "c2", "c3", "c4", "c5", "c6")),
        (np.array(["x", "y"]), ("x", "y", "c2", "c3", "c4", "c5", "c6")),
        (pd.Index(["x", "y"]), ("x", "y", "c2", "c3", "c4", "c5", "c6")),
        ((name for name in "xy"), ("x", "y", "c2", "c3", "c4", "c5", "c6")),
        ("one name", ("one name", "c1", "c2", "c3", "c4", "c5", "c6")),
        ([], ("c0", "c1", "c2", "c3", "c4", "c5", "c6")),
        (None, ("c0", "c1", "c2", "c3", "c4", "c5", "c6")),
        (["c1", "x"], ("c1", "x", "c2", "c3", "c4", "c5", "c6")),
        (["x", "c2"], ("x", "c2", "c2_2", "c3", "c4", "c5", "c6")),
        (["a\ud800"], ("a?", "c1", "c2", "c3", "c4", "c5", "c6")),
    ],
)
def test_feature_names_of_every_kind_are_made_names(taken: Taken, given: Any, names: tuple[str, ...]):
    (row,) = taken([[1, 2, 3, 4, 5, 6, 7]], feature_names=given)
    assert tuple(row.cells) == names


@pytest.mark.parametrize("given", [17, object(), [object()], iter([1, 2])])
def test_feature_names_that_are_none_do_not_stop_the_collecting(taken: Taken, given: Any):
    (row,) = taken([[1]], feature_names=given)
    assert row.data == (1,)


# ---- bounds


def test_names_that_fill_a_frame_are_refused_and_forgotten(refusal: Refusal, spooled: Spooled):
    long = {os.urandom(2_000_000).hex(): 1}
    assert refusal(long) == {"names_too_long": 1}
    collector = modeltap.ModelDataCollector("m", "inputs")
    assert collector.collect(long) is None
    assert collector.collect({"a": 1}) is not None
    assert spooled.rows()[-1].cells == {"a": 1}


def test_long_names_leave_less_room_for_the_rows(spooled: Spooled):
    names = [os.urandom(100).hex() for _ in range(4000)]
    collector = modeltap.ModelDataCollector("m", "inputs", feature_names=names)
    block = np.random.default_rng(0).random((30, 4000))
    assert collector.collect(block) is not None
    assert len(spooled.frames()) > 2
    assert [row.data for row in spooled.rows()] == [tuple(row) for row in block.tolist()]


def test_plans_are_few_however_the_nulls_fall():
    planner = Planner(KEY, None)
    width = 1000
    for number in range(300):
        kinds = tuple("null" if place == number % width else "float64" for place in range(width))
        planner.plan(Cells(1, kinds, [None] * width))
    assert len(planner._plans) <= MAX_PLANNED_COLUMNS // width
    assert len(planner._descriptors) <= 2


def test_equal_tables_share_one_plan():
    planner = Planner(KEY, FEATURES)
    first = planner.plan(Block(1, 3, "float64", b"\0" * 24))
    assert planner.plan(Block(2, 3, "float64", b"\0" * 48)) is first
    named = Block(1, 3, "float64", b"\0" * 24)
    named.names = ("a", "b", "c")
    assert planner.plan(named).descriptor.schema.names == ("a", "b", "c")
    assert planner.plan(Block(1, 3, "int64", b"\0" * 24)) is not first


def test_a_name_that_cannot_be_made_text_is_an_error_of_the_call_alone():
    class Nameless:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    planner = Planner(KEY, None)
    with pytest.raises(RuntimeError):
        planner.plan(Cells(1, ("int64",), [1], (Nameless(),)))
    assert planner.known == {}
    with pytest.raises(Refused, match="names_too_long"):
        planner.plan(Cells(1, ("int64",), [1], (os.urandom(2_000_000).hex(),)))
    assert planner.known == {}


def test_keys_that_are_new_again_and_again_are_refused_at_last(spooled: Spooled):
    collector = modeltap.ModelDataCollector("m", "inputs")
    taken = [collector.collect({f"id {number}": 1.5}) is not None for number in range(MAX_SCHEMAS + 10)]
    assert taken == [True] * MAX_SCHEMAS + [False] * 10
    assert modeltap.stats()["rejected"] == {"too_many_schemas": 10}
    assert collector.collect({"id 0": 2.5}) is not None


def test_a_frame_of_narrow_rows_holds_a_bounded_number_of_them(spooled: Spooled):
    flags = np.arange(200_000).reshape(-1, 1) % 3 == 0
    assert modeltap.ModelDataCollector("m", "inputs").collect(flags) is not None
    frames = spooled.frames()
    assert max(frame.rows for frame in frames) <= MAX_FRAME_ROWS
    assert sum(frame.rows for frame in frames) == 200_000
