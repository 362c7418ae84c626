"""Data frames: pandas, polars, Arrow, and what speaks Arrow's stream."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import modeltap
from support.pythons import python
from support.spooled import Refusal, Row, Spooled, Taken

INSTANT = dt.datetime.fromisoformat("2026-11-22T21:39:52.656442")
INSTANT_TEXT = "2026-11-22T21:39:52.656442"
NANOSECONDS = 1_795_383_592_656_442_123
BERLIN = "Europe/Berlin"

COLUMNS: dict[str, Any] = {
    "bool": pd.Series([True, False]),
    "int64": pd.Series([1, -2]),
    "int8": pd.Series([1, -2], dtype="int8"),
    "uint64": pd.Series([1, 2], dtype="uint64"),
    "float64": pd.Series([0.1, math.nan]),
    "float32": pd.Series([0.1, 3.0], dtype="float32"),
    "text": pd.Series(["x", None]),
    "object": pd.Series([{"k": 1}, None], dtype=object),
    "nullable int": pd.Series([1, None], dtype="Int64"),
    "nullable bool": pd.Series([True, None], dtype="boolean"),
    "nullable float": pd.Series([0.1, None], dtype="Float64"),
    "nullable text": pd.Series(["x", None], dtype="string"),
    "category": pd.Series(["x", "y"], dtype="category"),
    "category of numbers": pd.Series([1.5, 2.5]).astype("category"),
    "instant": pd.Series([INSTANT, None], dtype="datetime64[us]"),
    "nanoseconds": pd.to_datetime(pd.Series([NANOSECONDS, 0])),
    "zoned": pd.Series([INSTANT, None]).dt.tz_localize("UTC").dt.tz_convert(BERLIN),
    "duration": pd.to_timedelta(pd.Series([90, 1]), unit="s"),
    "arrow int": pd.Series([1, None], dtype="int64[pyarrow]"),
    "arrow text": pd.Series(["x", None], dtype="string[pyarrow]"),
    "sparse": pd.Series(pd.arrays.SparseArray([0.0, 1.5])),
    "decimal": pd.Series([Decimal("1.50"), Decimal(2)]),
    "date": pd.Series([dt.date(2026, 11, 22), None]),
    "period": pd.Series(pd.period_range("2026-11", periods=2, freq="M")).astype(str),
}
EXPECTED: dict[str, tuple[str, Any, Any]] = {
    "bool": ("bool", True, False),
    "int64": ("int64", 1, -2),
    "int8": ("int64", 1, -2),
    "uint64": ("int64", 1, 2),
    "float64": ("float64", 0.1, math.nan),
    "float32": ("float64", float(np.float32(0.1)), 3.0),
    "text": ("string", "x", None),
    "object": ("json", '{"k":1}', None),
    "nullable int": ("int64", 1, None),
    "nullable bool": ("bool", True, None),
    "nullable float": ("float64", 0.1, None),
    "nullable text": ("string", "x", None),
    "category": ("string", "x", "y"),
    "category of numbers": ("float64", 1.5, 2.5),
    "instant": ("timestamp", INSTANT_TEXT, None),
    "nanoseconds": ("timestamp", INSTANT_TEXT + "123", "1970-01-01T00:00:00.000000"),
    "zoned": ("timestamp", INSTANT_TEXT, None),
    "duration": ("string", "0 days 00:01:30", "0 days 00:00:01"),
    "arrow int": ("int64", 1, None),
    "arrow text": ("string", "x", None),
    "sparse": ("float64", 0.0, 1.5),
    "decimal": ("decimal", "1.50", "2"),
    "date": ("string", "2026-11-22", None),
    "period": ("string", "2026-11", "2026-12"),
}


def same(found: Any, expected: Any) -> bool:
    return repr(found) == repr(expected)  # NaN is itself, and 3 is not 3.0


def cells(rows: list[Row], name: str) -> list[Any]:
    return [row.cells[name] for row in rows]


# ---- pandas


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_column_of_pandas_keeps_values_and_type_however_many_rows_there_are(taken: Taken, name: str, rows: int):
    frame = pd.concat([COLUMNS[name].to_frame(name)] * 50, ignore_index=True)[:rows]
    found = taken(frame)
    kind, *values = EXPECTED[name]
    assert {row.types[name] for row in found} == {kind}
    assert same(cells(found, name), (values * 50)[:rows])


@pytest.mark.parametrize("rows", [1, 100])
def test_no_value_is_null_in_every_column_but_one_of_floats(taken: Taken, rows: int):
    frame = pd.DataFrame(
        {"f": [math.nan], "s": pd.Series([None], dtype="str"), "o": pd.Series([math.nan], dtype=object)}
    )
    found = taken(pd.concat([frame] * rows, ignore_index=True))
    assert {row.kinds for row in found} == {("float64", "null", "null")}
    assert {repr(row.data) for row in found} == {"(nan, None, None)"}


def test_one_row_has_the_values_and_types_that_it_has_among_a_hundred(spooled: Spooled):
    frame = pd.concat([pd.DataFrame(COLUMNS)] * 50, ignore_index=True)
    collector = modeltap.ModelDataCollector("m", "inputs")
    for part in (frame, frame[:1], frame[:16], frame[:17], frame[1:2]):
        assert collector.collect(part) is not None
    whole, rows = spooled.rows()[:100], spooled.rows()[100:]
    expected = [whole[0], *whole[:16], *whole[:17], whole[1]]
    assert same([row.cells for row in rows], [row.cells for row in expected])
    assert {tuple(row.types.items()) for row in rows} == {tuple(EXPECTED_TYPES.items())}


EXPECTED_TYPES = {name: EXPECTED[name][0] for name in COLUMNS}


def test_a_frame_of_numbers_of_one_type_is_a_block_by_its_names(taken: Taken):
    rows = taken(pd.DataFrame(np.arange(60.0).reshape(20, 3), columns=["a", "b", "c"]))
    assert rows[19].cells == {"a": 57.0, "b": 58.0, "c": 59.0}
    rows = taken(pd.DataFrame({"a": np.array([2**63 + 5] * 20, dtype="u8"), "b": np.array([1] * 20, dtype="u8")}))
    assert (rows[0].data, rows[0].kinds) == ((str(2**63 + 5), 1), ("decimal", "int64"))


def test_names_of_a_frame_win_over_feature_names(taken: Taken):
    (row,) = taken(pd.DataFrame({"a": [1], "b": [2]}), feature_names=["x", "y"])
    assert row.cells == {"a": 1, "b": 2}


def test_names_that_are_no_text_repeat_or_are_reserved_are_made_names(taken: Taken):
    frame = pd.DataFrame([[1, 2, 3, 4, 5, 6]], columns=["a", "a", "A", 7, "", "$Row"])
    (row,) = taken(frame)
    assert row.cells == {"a": 1, "a_2": 2, "A_3": 3, "7": 4, "c4": 5, "_$Row": 6}


def test_columns_of_several_levels_are_named_by_all_levels(taken: Taken):
    columns = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    (row,) = taken(pd.DataFrame([[1, 2]], columns=columns))
    assert row.cells == {"('a', 'x')": 1, "('a', 'y')": 2}


def test_the_index_of_a_frame_is_no_feature(taken: Taken):
    rows = taken(pd.DataFrame({"a": [1, 2]}, index=["r", "s"]))
    assert [row.cells for row in rows] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame({"a": [1]})[:0]])
def test_a_frame_without_rows_is_taken_and_has_none(taken: Taken, frame: pd.DataFrame):
    assert taken(frame) == []


def test_a_frame_whose_columns_are_mixed_by_row_says_each_cell_as_json(taken: Taken):
    rows = taken(pd.DataFrame({"a": [1, "x", True, 2.5, None]}, dtype=object))
    assert cells(rows, "a") == ["1", '"x"', "true", "2.5", None]
    assert rows[0].kinds == ("json",)


def test_a_type_that_extends_a_frame_or_a_series_is_one(taken: Taken):
    class Own(pd.DataFrame):
        @property
        def _constructor(self) -> Any:
            return Own

    class Line(pd.Series):
        pass

    frame = Own({"a": [1, 2]}, index=["r", "s"])
    assert [row.cells for row in taken(frame)] == [{"a": 1}, {"a": 2}]
    assert [row.cells for row in taken(Line([1, 2], index=["a", "b"]))] == [{"a": 1, "b": 2}]
    collector = modeltap.ModelDataCollector("m", "inputs")
    joined = collector.add_correlations(frame, collector.collect(frame))
    assert type(joined) is Own
    assert joined.shape == (2, 9)


# ---- polars

POLARS = pl.DataFrame(
    {
        "i": pl.Series([1, None], dtype=pl.Int16),
        "u": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
        "f": pl.Series([0.5, math.nan], dtype=pl.Float32),
        "b": [True, None],
        "s": ["x", None],
        "c": pl.Series(["x", "y"], dtype=pl.Categorical),
        "t": [INSTANT, None],
        "z": pl.Series([INSTANT, None]).dt.replace_time_zone("UTC").dt.convert_time_zone(BERLIN),
        "n": pl.Series([NANOSECONDS, None]).cast(pl.Datetime("ns")),
        "zn": pl.Series([NANOSECONDS, None]).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(BERLIN),
        "d": [dt.date(2026, 11, 22), None],
        "l": [[1, 2], None],
        "r": [{"k": 1.5}, None],
        "m": [Decimal("1.50"), None],
        "y": [b"ab", None],
        "x": pl.Series([None, None]),
        "w": pl.Series([None, None], dtype=pl.Float64),
    }
)
POLARS_ROW = {
    "i": ("int64", 1),
    "u": ("decimal", str(2**64 - 1)),
    "f": ("float64", 0.5),
    "b": ("bool", True),
    "s": ("string", "x"),
    "c": ("string", "x"),
    "t": ("timestamp", INSTANT_TEXT),
    "z": ("timestamp", INSTANT_TEXT),
    "n": ("timestamp", INSTANT_TEXT + "123"),
    "zn": ("timestamp", INSTANT_TEXT + "123"),
    "d": ("string", "2026-11-22"),
    "l": ("json", "[1,2]"),
    "r": ("json", '{"k":1.5}'),
    "m": ("decimal", "1.50"),
    "y": ("binary", "YWI="),
    "x": ("null", None),
    "w": ("float64", None),
}


def test_a_frame_of_polars_keeps_every_type(taken: Taken):
    first, second = taken(POLARS)
    assert first.types == {name: kind for name, (kind, _) in POLARS_ROW.items()}
    assert first.cells == {name: value for name, (_, value) in POLARS_ROW.items()}
    assert math.isnan(second.cells.pop("f"))
    assert second.cells.pop("c") == "y"
    assert set(second.cells.values()) == {None}


def test_times_and_durations_of_polars_keep_their_nanoseconds(taken: Taken):
    frame = pl.DataFrame({"t": pl.Series([1]).cast(pl.Time), "d": pl.Series([1]).cast(pl.Duration("ns"))})
    (row,) = taken(frame)
    assert row.cells == {"t": "00:00:00.000000001", "d": "PT0.000000001S"}


def test_a_frame_of_polars_without_rows_is_taken(taken: Taken):
    assert taken(POLARS[:0]) == []
    assert taken(pl.DataFrame()) == []


def test_a_lazy_frame_is_refused_and_not_run(refusal: Refusal):
    def fail(series: pl.Series) -> pl.Series:
        raise AssertionError("the query was run")

    lazy = pl.LazyFrame({"a": [1]}).select(pl.col("a").map_batches(fail))
    assert refusal(lazy) == {"lazy_frame": 1}


# ---- Arrow

ARROW = pa.table(
    {
        "i": pa.array([1, None], pa.int32()),
        "f": pa.array([0.5, None], pa.float32()),
        "b": pa.array([True, None]),
        "s": pa.array(["x", None], pa.large_string()),
        "c": pa.array(["x", None]).dictionary_encode(),
        "t": pa.array([INSTANT, None], pa.timestamp("us")),
        "z": pa.array([INSTANT, None], pa.timestamp("us", BERLIN)),
        "n": pa.array([NANOSECONDS, None], pa.timestamp("ns")),
        "m": pa.array([Decimal("1.50"), None]),
        "y": pa.array([b"ab", None]),
        "l": pa.array([[1, 2], None]),
        "w": pa.array([None, None], pa.bool_()),
    }
)


@pytest.mark.parametrize("value", [ARROW, ARROW.to_batches()[0]], ids=["table", "batch"])
def test_a_table_of_arrow_keeps_every_type(taken: Taken, value: Any):
    first, second = taken(value)
    assert first.kinds == (
        *("int64", "float64", "bool", "string", "string", "timestamp"),
        *("timestamp", "timestamp", "decimal", "binary", "json", "bool"),
    )
    assert first.data == (
        *(1, 0.5, True, "x", "x", INSTANT_TEXT, INSTANT_TEXT, INSTANT_TEXT + "123", "1.50", "YWI=", "[1,2]", None),
    )
    assert set(second.data) == {None}


def test_an_array_of_arrow_is_flat(taken: Taken):
    assert [row.data for row in taken(pa.array([1, None]))] == [(1, None)]
    assert [row.data for row in taken(pa.chunked_array([[1], [2]]), feature_names=["y"])] == [(1,), (2,)]


def test_what_has_an_arrow_stream_is_its_rows(taken: Taken):
    relation = duckdb.sql("select * from (values (1, 'x'), (2, null)) as rows(a, b)")
    assert [row.cells for row in taken(relation)] == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]

    class Stream:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return ARROW.__arrow_c_stream__(requested_schema)

    assert [row.data for row in taken(Stream())] == [row.data for row in taken(ARROW)]


def test_a_stream_is_read_with_polars_where_there_is_no_pyarrow_and_refused_without_both():
    script = """
import sys, polars, modeltap
class Only:
    def __init__(self, *names): self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names: raise ImportError(name)
class Stream:
    def __arrow_c_stream__(self, requested_schema=None):
        return frame.__arrow_c_stream__(requested_schema)
frame = polars.DataFrame({"a": [1, 2]})
sys.meta_path.insert(0, Only("pyarrow"))
collector = modeltap.ModelDataCollector("m", "inputs")
print(collector.collect(Stream()) is not None)
del sys.modules["polars"]
sys.meta_path.insert(0, Only("polars"))
print(collector.collect(Stream()), modeltap.stats()["accepted"], modeltap.stats()["rejected"])
"""
    shown = python(script, MODELTAP_SHIPPER="none", MODELTAP_EXIT_FLUSH_SECONDS="0")
    assert shown.out.splitlines() == ["True", "None 2 {'no_arrow_library': 1}"], shown.err
