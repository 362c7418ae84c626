"""Cells of every kind: their types, their forms, and what is refused."""

from __future__ import annotations

import dataclasses
import enum
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from modeltap.capture.cells import Refused, read_cell, read_column
from support.spooled import Refusal, Taken


class Grade(enum.Enum):
    GOOD = "good"
    BEST = 1


class Level(enum.IntEnum):
    LOW = 1


class Colour(enum.StrEnum):
    RED = "red"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("asked for its text")

    def __repr__(self) -> str:
        raise RuntimeError("asked for its text")


class Number(float):
    def __float__(self) -> float:
        raise RuntimeError("asked for its value")

    def __repr__(self) -> str:
        return "not a number"


class Count(int):
    def __int__(self) -> int:
        raise RuntimeError("asked for its value")

    def __index__(self) -> int:
        raise RuntimeError("asked for its value")


EAST = timezone(timedelta(hours=5, minutes=30))
NAIVE = datetime.fromisoformat("2026-11-22T21:39:52.656442")


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (None, "null", None),
        (pd.NaT, "null", None),
        (pd.NA, "null", None),
        (np.datetime64("NaT"), "null", None),
        (np.timedelta64("NaT"), "null", None),
        (np.ma.masked, "null", None),
        (True, "bool", True),
        (np.bool_(False), "bool", False),
        (0, "int64", 0),
        (2**63 - 1, "int64", 2**63 - 1),
        (-(2**63), "int64", -(2**63)),
        (np.int8(-3), "int64", -3),
        (np.uint64(2**63 - 1), "int64", 2**63 - 1),
        (Level.LOW, "int64", 1),
        (2**63, "decimal", str(2**63)),
        (-(10**40), "decimal", str(-(10**40))),
        (np.uint64(2**64 - 1), "decimal", str(2**64 - 1)),
        (Decimal("1.50"), "decimal", "1.50"),
        (Decimal("-0E+3"), "decimal", "-0E+3"),
        (Decimal("NaN"), "decimal", "NaN"),
        (0.5, "float64", 0.5),
        (math.inf, "float64", math.inf),
        (np.float16(0.5), "float64", 0.5),
        (np.float32(0.1), "float64", float(np.float32(0.1))),
        ("", "string", ""),
        ("a\0b\r\n\u2028\"',", "string", "a\0b\r\n\u2028\"',"),
        (np.str_("x"), "string", "x"),
        (Colour.RED, "string", "red"),
        (Grade.GOOD, "string", "good"),
        (Grade.BEST, "int64", 1),
        (b"\x00\xff", "binary", "AP8="),
        (bytearray(b"ab"), "binary", "YWI="),
        (memoryview(b"ab"), "binary", "YWI="),
        (np.bytes_(b"ab"), "binary", "YWI="),
        (NAIVE, "timestamp", "2026-11-22T21:39:52.656442"),
        (NAIVE.replace(microsecond=0), "timestamp", "2026-11-22T21:39:52.000000"),
        (NAIVE.replace(tzinfo=UTC), "timestamp", "2026-11-22T21:39:52.656442"),
        (NAIVE.replace(tzinfo=EAST), "timestamp", "2026-11-22T16:09:52.656442"),
        (pd.Timestamp("2026-11-22T21:39:52.656442123"), "timestamp", "2026-11-22T21:39:52.656442123"),
        (pd.Timestamp("2026-11-22T21:39:52.656442123", tz=EAST), "timestamp", "2026-11-22T16:09:52.656442123"),
        (np.datetime64("2026-11-22T21"), "timestamp", "2026-11-22T21:00:00.000000"),
        (datetime.min, "timestamp", "0001-01-01T00:00:00.000000"),  # noqa: DTZ901  the first that there is
        (date(2026, 11, 22), "string", "2026-11-22"),
        (time(21, 39, 52, 1), "string", "21:39:52.000001"),
        (timedelta(days=1, seconds=2), "string", "1 day, 0:00:02"),
        (pd.Timedelta(5, unit="ns"), "string", "0 days 00:00:00.000000005"),
        (uuid.UUID(int=1), "string", "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "string", "/a/b"),
        ([1, "x", None, True], "json", '[1,"x",null,true]'),
        ((), "json", "[]"),
        ({"k": {"l": [1.5]}}, "json", '{"k":{"l":[1.5]}}'),
        ({1: 2, None: 3}, "json", '{"1":2,"None":3}'),
        ({3, 1, 2}, "json", "[1,2,3]"),
        ([math.nan, math.inf, -math.inf, pd.NaT], "json", '["NaN","Infinity","-Infinity",null]'),
        ([Decimal("1.5"), b"ab", NAIVE, np.int8(1)], "json", '["1.5","YWI=","2026-11-22T21:39:52.656442",1]'),
        ([2**80], "json", f'["{2**80}"]'),
        (np.array([[1, 2], [3, 4]]), "json", "[[1,2],[3,4]]"),
        (np.array(1.5), "float64", 1.5),
        (pd.Series([1, None]), "json", '[1.0,"NaN"]'),
        (pl.Series([1, None]), "json", "[1,null]"),
    ],
    ids=repr,
)
def test_a_cell_has_one_type_and_one_form(value: Any, kind: str, cell: Any):
    found = read_cell(value)
    assert found == (kind, cell)
    assert type(found[1]) is type(cell)


def test_a_subclass_counts_as_what_it_extends_and_its_own_methods_are_not_asked():
    assert read_cell(Count(7)) == ("int64", 7)
    assert read_cell(Number(1.5)) == ("float64", 1.5)
    kind, cell = read_cell(Text("x"))
    assert (kind, type(cell)) == ("string", str)
    assert read_cell({Text("k"): Text("v")}) == ("json", '{"k":"v"}')


def test_not_a_number_is_a_float():
    kind, cell = read_cell(math.nan)
    assert kind == "float64"
    assert math.isnan(cell)
    assert math.isnan(read_cell(np.float32("nan"))[1])


@pytest.mark.parametrize(
    "value",
    [object(), 1j, Fraction(1, 3), int, len, ..., np.complex64(1), [object()], {"k": 1j}, pd.DataFrame({"a": [1]})],
)
def test_what_no_data_file_could_hold_is_refused(value: Any):
    with pytest.raises(Refused, match="unsupported_cell"):
        read_cell(value)


def test_a_number_of_thousands_of_digits_is_refused():
    with pytest.raises(Refused, match="number_too_long"):
        read_cell(10**5000)


@pytest.mark.parametrize(
    "value", [datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), datetime.min.replace(tzinfo=EAST)]
)
def test_an_instant_outside_the_calendar_is_refused(value: datetime):
    with pytest.raises(Refused, match="instant_out_of_range"):
        read_cell(value)


def test_nesting_has_an_end():
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(Refused, match="nested_too_deep"):
        read_cell(deep)
    circle: dict[str, Any] = {}
    circle["self"] = [circle]
    with pytest.raises(Refused, match="nested_too_deep"):
        read_cell(circle)


def test_width_inside_a_cell_has_an_end():
    assert read_cell(dict.fromkeys(map(str, range(10_000))))[0] == "json"
    with pytest.raises(Refused, match="nested_too_wide"):
        read_cell(dict.fromkeys(map(str, range(10_001))))


def test_a_record_that_holds_itself_is_refused():
    @dataclasses.dataclass
    class Node:
        next: Any = None

    node = Node()
    node.next = node
    with pytest.raises(Refused, match="nested_too_deep"):
        read_cell(node)


def test_two_keys_with_the_same_text_are_refused_and_not_merged():
    with pytest.raises(Refused, match="keys_with_the_same_text"):
        read_cell({1: "a", "1": "b"})


# ---- a column has one type


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        ([None, None], "null", [None, None]),
        ([1, None, 2], "int64", [1, None, 2]),
        ([1, 2.5, None], "float64", [1.0, 2.5, None]),
        ([2**53, 0.5], "float64", [float(2**53), 0.5]),
        ([2**53 + 1, 0.5], "json", [str(2**53 + 1), "0.5"]),
        ([1, 2**70], "decimal", ["1", str(2**70)]),
        ([1, Decimal("0.5"), None], "decimal", ["1", "0.5", None]),
        (["x", math.nan, None], "string", ["x", None, None]),
        ([True, math.nan], "bool", [True, None]),
        ([NAIVE, pd.NaT, math.nan], "timestamp", ["2026-11-22T21:39:52.656442", None, None]),
        ([True, 1], "json", ["true", "1"]),
        (["1", 1, 1.5, None], "json", ['"1"', "1", "1.5", None]),
        (["x", [1]], "json", ['"x"', "[1]"]),
        ([Level.LOW, 2], "int64", [1, 2]),
    ],
    ids=repr,
)
def test_a_column_has_the_narrowest_type_that_holds_all_its_cells(values: list[Any], kind: str, cells: list[Any]):
    found = read_column(values)
    assert found == (kind, cells)
    assert [type(cell) for cell in found[1]] == [type(cell) for cell in cells]


# ---- through collect


@pytest.mark.parametrize(
    "value",
    [
        [["\ud800"]],
        pd.DataFrame({"a": range(20), "b": ["\ud800"] * 20}, dtype=object),
        {"a": "x\udfff"},
        [["k", ["\ud800"]]],
        [{"a": "\ud800"}, {"a": "y"}],
    ],
)
def test_text_that_utf_8_cannot_hold_is_refused(refusal: Refusal, value: Any):
    (reason,) = refusal(value)
    assert reason == "text_not_unicode"


def test_a_name_that_utf_8_cannot_hold_is_made_one_that_it_can(taken: Taken):
    assert taken({"a\ud800": 1})[0].cells == {"a?": 1}


def test_every_kind_of_cell_in_one_row_comes_back(taken: Taken):
    (row,) = taken([[None, True, 1, 0.1, "x\0", b"y", NAIVE, Decimal("1.0"), [1], 2**64]])
    assert row.data == (None, True, 1, 0.1, "x\0", "eQ==", "2026-11-22T21:39:52.656442", "1.0", "[1]", str(2**64))
    assert row.kinds == (
        "null",
        "bool",
        "int64",
        "float64",
        "string",
        "binary",
        "timestamp",
        "decimal",
        "json",
        "decimal",
    )
