"""Lists, dicts, records, series and scalars: which rows they are."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest

import modeltap
from support.spooled import Refusal, Spooled, Taken


@dataclasses.dataclass
class Loan:
    amount: float
    terms: Any = None


class Applicant(pydantic.BaseModel):
    age: int
    loans: list[Loan] = []


class Point(NamedTuple):
    x: int
    y: int


Old = namedtuple("Old", "x y")  # noqa: PYI024  the older way of saying the same


# ---- lists of rows


@pytest.mark.parametrize(
    "value",
    [
        [[1, "x"], [2, "y"]],
        [(1, "x"), (2, "y")],
        ((1, "x"), [2, "y"]),
        [np.array([1, "x"], dtype=object), np.array([2, "y"], dtype=object)],
    ],
)
def test_a_list_of_rows_is_its_rows(taken: Taken, value: Any):
    rows = taken(value, feature_names=["n", "t"])
    assert [row.cells for row in rows] == [{"n": 1, "t": "x"}, {"n": 2, "t": "y"}]
    assert [row.row for row in rows] == [0, 1]


def test_rows_of_different_numbers_are_one_type_a_column(taken: Taken):
    rows = taken([[1, 2], [1.5, 3], [None, 4]])
    assert [row.data for row in rows] == [(1.0, 2), (1.5, 3), (None, 4)]
    assert rows[0].kinds == ("float64", "int64")
    assert isinstance(rows[0].data[0], float)


def test_an_integer_that_no_float_can_hold_is_not_rounded(taken: Taken):
    rows = taken([[2**53 + 1], [0.5]])
    assert [row.data for row in rows] == [(str(2**53 + 1),), ("0.5",)]
    assert rows[0].kinds == ("json",)


def test_rows_of_floats_and_rows_of_series(taken: Taken):
    assert [row.data for row in taken([[0.5, 1.5], [2.5, 3.5]])] == [(0.5, 1.5), (2.5, 3.5)]
    assert [row.data for row in taken([pl.Series([1, 2]), pl.Series([3, 4])])] == [(1, 2), (3, 4)]
    assert [row.data for row in taken([pd.Series([1, 2]), pd.Series([3, 4])])] == [(1, 2), (3, 4)]


def test_rows_that_are_arrays_of_instants_stay_instants(taken: Taken):
    (row,) = taken([np.array(["2026-11-22"], dtype="M8[ns]")])
    assert (row.data, row.kinds) == (("2026-11-22T00:00:00.000000",), ("timestamp",))


def test_a_list_of_labelled_series_has_their_labels_as_names(taken: Taken):
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    rows = taken([row for _, row in frame.iterrows()], feature_names=["x", "y"])
    assert [row.cells for row in rows] == [{"a": 1.0, "b": 0.5}, {"a": 2.0, "b": 1.5}]
    (row,) = taken([pd.Series([1, 2], index=["a", "a"])])
    assert row.cells == {"c0": 1, "c1": 2}


@pytest.mark.parametrize("value", [[], (), [[]][:0]])
def test_an_empty_list_has_no_rows(taken: Taken, value: Any):
    assert taken(value) == []


def test_rows_without_columns_are_rows(taken: Taken):
    assert [row.cells for row in taken([[], []])] == [{}, {}]
    assert [row.cells for row in taken([{}])] == [{}]


@pytest.mark.parametrize(
    ("value", "rows"),
    [([[1, 2], [3]], 2), ([[1], [2, 3], [4]], 3), ([(1,), ()], 2), ({"a": [1, 2], "b": [3]}, 1)],
)
def test_ragged_rows_are_refused(refusal: Refusal, value: Any, rows: int):
    assert refusal(value) == {"ragged_rows": rows}


@pytest.mark.parametrize("value", [[1, [2]], [[1], 2], [{"a": 1}, [1]], [[1], {"a": 1}], ["x", {"a": 1}], [None, [1]]])
def test_a_mixture_of_rows_and_values_is_refused(refusal: Refusal, value: Any):
    ((reason, _),) = refusal(value).items()
    assert reason == "mixed_rows"


def test_too_many_columns_are_refused(refusal: Refusal, taken: Taken):
    assert len(taken([list(range(10_000))])[0].data) == 10_000
    assert refusal([list(range(10_001))]) == {"too_many_columns": 1}
    assert refusal([[None] * 10_001, [None] * 10_001]) == {"too_many_columns": 2}
    assert refusal({str(place): [1, 2] for place in range(10_001)}) == {"too_many_columns": 1}
    assert refusal({str(place): 1 for place in range(10_001)}) == {"too_many_columns": 1}


# ---- dicts


def test_a_dict_of_columns_is_rows_and_one_of_scalars_is_one_row(taken: Taken):
    rows = taken({"a": [1, 2], "b": ("x", "y"), "c": np.array([0.5, 1.5]), "d": pd.Series([True, False])})
    assert [row.data for row in rows] == [(1, "x", 0.5, True), (2, "y", 1.5, False)]
    (row,) = taken({"a": 1, "b": "x"})
    assert row.cells == {"a": 1, "b": "x"}


def test_columns_of_a_dict_may_be_of_any_library(taken: Taken):
    rows = taken(
        {"a": pl.Series([1, 2]), "b": pa.array([0.5, None]), "t": np.array(["2026-01-01"] * 2, dtype="M8[ns]")}
    )
    assert [row.data for row in rows] == [
        (1, 0.5, "2026-01-01T00:00:00.000000"),
        (2, None, "2026-01-01T00:00:00.000000"),
    ]


def test_a_dict_of_scalars_and_lists_is_one_row_with_json(taken: Taken):
    (row,) = taken({"id": 7, "tags": ["x", None], "at": {"lat": 1.5}})
    assert row.cells == {"id": 7, "tags": '["x",null]', "at": '{"lat":1.5}'}
    assert row.kinds == ("int64", "json", "json")


def test_a_dict_of_empty_columns_has_no_rows(taken: Taken):
    assert taken({"a": [], "b": []}) == []


def test_names_of_a_dict_win_over_feature_names(taken: Taken):
    assert taken({"a": 1}, feature_names=["x"])[0].cells == {"a": 1}


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType, UserDict])
def test_every_mapping_is_a_dict(taken: Taken, kind: Any):
    assert taken(kind({"a": 1, "b": 2}))[0].cells == {"a": 1, "b": 2}
    assert [row.cells for row in taken([kind({"a": 1}), kind({"a": 2})])] == [{"a": 1}, {"a": 2}]


def test_keys_that_are_no_text_become_text(taken: Taken):
    (row,) = taken({1: "one", None: "none", ("a", 2): "pair"})
    assert row.cells == {"1": "one", "None": "none", "('a', 2)": "pair"}


def test_a_list_of_dicts_has_all_their_keys(taken: Taken):
    rows = taken([{"a": 1}, {"b": 2.5, "a": 3}, {}])
    assert [row.cells for row in rows] == [{"a": 1, "b": None}, {"a": 3, "b": 2.5}, {"a": None, "b": None}]


def test_a_dict_that_lacks_keys_is_padded_and_only_a_new_key_makes_a_new_schema(spooled: Spooled):
    collector = modeltap.ModelDataCollector("m", "inputs")
    for value in (
        {"a": 1, "b": "x"},
        {"b": "y"},
        {"b": "z", "a": 2},
        {},
        [{"a": 3}, {"b": "w"}],
        {"a": 4, "c": 1.5},
        {"a": 5},
    ):
        assert collector.collect(value) is not None
    frames = spooled.frames()
    assert [frame.descriptor.schema.names for frame in frames] == [("a", "b")] * 5 + [("a", "b", "c")] * 2
    assert len({frame.descriptor.schema.id for frame in frames[:5]}) == 1
    assert spooled.values() == [
        *[(1, "x"), (None, "y"), (2, "z"), (None, None), (3, None), (None, "w")],
        *[(4, None, 1.5), (5, None, None)],
    ]


def test_keys_without_end_never_stop_the_collecting(spooled: Spooled):
    collector = modeltap.ModelDataCollector("m", "inputs")
    for number in range(12):
        assert collector.collect({f"{number}-{place}": place for place in range(1000)}) is not None
    assert collector.collect({"a": 1}) is not None
    assert spooled.rows()[-1].cells["a"] == 1
    assert modeltap.stats()["rejected"] == {}


# ---- records


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Loan(1.5, [12, "m"]), {"amount": 1.5, "terms": '[12,"m"]'}),
        (Applicant(age=30), {"age": 30, "loans": "[]"}),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Old(1, 2), {"x": 1, "y": 2}),
    ],
)
def test_a_record_is_one_row_and_a_list_of_them_is_rows(taken: Taken, value: Any, expected: dict[str, Any]):
    assert [row.cells for row in taken(value, feature_names=["p", "q"])] == [expected]
    assert [row.cells for row in taken([value, value])] == [expected, expected]
    assert [row.cells for row in taken((value,))] == [expected]


def test_records_inside_records_are_json(taken: Taken):
    assert taken(Loan(1.0, Loan(2.0, Point(3, 4))))[0].cells["terms"] == '{"amount":2.0,"terms":{"x":3,"y":4}}'
    assert taken(Applicant(age=1, loans=[Loan(2.0)]))[0].cells["loans"] == '[{"amount":2.0,"terms":null}]'
    assert taken({"p": Point(1, 2), "q": 3})[0].cells == {"p": '{"x":1,"y":2}', "q": 3}


def test_a_class_is_no_record(refusal: Refusal):
    assert set(refusal(Loan)) <= {"unsupported_type", "error"}
    assert set(refusal([Loan])) <= {"unsupported_cell", "error"}


def test_a_record_of_no_fields_that_is_no_mapping_is_refused(refusal: Refusal):
    class Numbers(pydantic.RootModel[list[int]]):
        pass

    assert refusal(Numbers([1, 2])) == {"unsupported_type": 1}


# ---- series


def test_a_series_is_one_row(taken: Taken):
    assert [row.cells for row in taken(pd.Series([1, 2], index=["a", "b"]), feature_names=["x", "y"])] == [
        {"a": 1, "b": 2}
    ]
    assert [row.cells for row in taken(pd.Series([1, 2]), feature_names=["x", "y"])] == [{"x": 1, "y": 2}]
    assert [row.cells for row in taken(pl.Series([1, 2]))] == [{"c0": 1, "c1": 2}]
    assert [row.data for row in taken(pd.Index([1, 2]))] == [(1, 2)]
    assert taken(pd.Series([], dtype="f8")) == []


def test_a_series_keeps_the_types_of_its_cells(taken: Taken):
    (row,) = taken(pd.Series({"n": 1, "t": "x", "at": pd.Timestamp("2026-11-22", tz="UTC"), "none": None}))
    assert row.data == (1, "x", "2026-11-22T00:00:00.000000", None)
    (row,) = taken(pd.Series(pd.to_datetime(["2026-11-22"])))
    assert row.kinds == ("timestamp",)


# ---- flat values: how many rows they are depends on the inputs call before


def predictions(spooled: Spooled, inputs: Any, value: Any, **options: Any) -> list[tuple[Any, ...]]:
    """What ``value`` becomes as predictions after that inputs call."""
    if inputs is not None:
        modeltap.ModelDataCollector("m", "inputs").collect(inputs)
    collector = modeltap.ModelDataCollector("m", "predictions", **options)
    assert collector.collect(value) is not None
    return spooled.values("predictions")


FLAT = [[0.1, 0.2, 0.3], (0.1, 0.2, 0.3), np.array([0.1, 0.2, 0.3]), pa.array([0.1, 0.2, 0.3])]


@pytest.mark.parametrize(
    "value", [*FLAT, pd.Series([0.1, 0.2, 0.3]), pl.Series([0.1, 0.2, 0.3])], ids=lambda v: type(v).__name__
)
def test_as_many_values_as_the_inputs_had_rows_are_as_many_rows(spooled: Spooled, value: Any):
    assert predictions(spooled, [[1], [2], [3]], value) == [(0.1,), (0.2,), (0.3,)]


@pytest.mark.parametrize("value", FLAT, ids=lambda v: type(v).__name__)
def test_after_inputs_of_one_row_values_are_one_row_even_with_one_name(spooled: Spooled, value: Any):
    assert predictions(spooled, [[1]], value, feature_names=["y"]) == [(0.1, 0.2, 0.3)]


@pytest.mark.parametrize("value", FLAT, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("inputs", [None, [[1], [2]], []], ids=["no inputs", "2 rows", "0 rows"])
def test_else_values_are_one_row_or_as_many_rows_with_one_name(spooled: Spooled, inputs: Any, value: Any):
    assert predictions(spooled, inputs, value) == [(0.1, 0.2, 0.3)]
    collector = modeltap.ModelDataCollector("other", "predictions", feature_names=["y"])
    collector.collect(value)
    assert spooled.values("predictions")[1:] == [(0.1,), (0.2,), (0.3,)]


def test_one_value_is_one_row_either_way(spooled: Spooled):
    assert predictions(spooled, [[1]], [0.5]) == [(0.5,)]


def test_flat_values_that_are_inputs_are_one_row(taken: Taken):
    assert [row.data for row in taken([1, "x", None])] == [(1, "x", None)]
    assert [row.data for row in taken(np.array([1.5, 2.5]))] == [(1.5, 2.5)]
    assert [row.data for row in taken(["a", "b"], feature_names=["t"])] == [("a",), ("b",)]


def test_flat_values_of_every_type_may_be_rows(spooled: Spooled):
    inputs = [[1], [2], [3]]
    for value in (
        ["a", "b", None],
        np.array(["a", "b", "c"]),
        np.array([2**63, 1, 2], dtype="u8"),
        np.array([True, False, True]),
    ):
        predictions(spooled, inputs, value)
    assert spooled.values("predictions") == [
        *[("a",), ("b",), (None,), ("a",), ("b",), ("c",)],
        *[(str(2**63),), ("1",), ("2",), (True,), (False,), (True,)],
    ]


# ---- scalars, and what is nothing at all


@pytest.mark.parametrize(
    ("value", "cell", "kind"),
    [
        *[
            (0.5, 0.5, "float64"),
            (3, 3, "int64"),
            (True, True, "bool"),
            ("", "", "string"),
            (b"\x00", "AA==", "binary"),
        ],
        *[(np.float64(0.5), 0.5, "float64"), (np.int8(3), 3, "int64"), (np.bool_(True), True, "bool")],
        *[(np.str_("x"), "x", "string"), (np.bytes_(b"\x01"), "AQ==", "binary")],
        *[(np.datetime64("2026-11-22"), "2026-11-22T00:00:00.000000", "timestamp"), (pd.NA, None, "null")],
    ],
)
def test_a_scalar_is_one_row_of_one_column(taken: Taken, value: Any, cell: Any, kind: str):
    (row,) = taken(value, feature_names=["y"])
    assert (row.cells, row.kinds) == ({"y": cell}, (kind,))


def numbers() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    "value",
    [object(), len, numbers(), range(3), {1, 2}, frozenset({1}), iter([1]), {}.keys(), deque([1]), int, Ellipsis, 1j],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_table_is_refused(refusal: Refusal, value: Any):
    assert refusal(value) == {"unsupported_type": 1}


def test_no_data_are_refused(refusal: Refusal):
    assert refusal(None) == {"no_data": 1}


def test_a_generator_is_not_touched(refusal: Refusal):
    values = numbers()
    refusal(values)
    assert list(values) == [1]


def test_subclasses_of_lists_tuples_and_dicts_are_what_they_extend(taken: Taken):
    class Rows(list):
        pass

    class Row(tuple):
        __slots__ = ()

    class Fields(dict):
        pass

    assert [row.data for row in taken(Rows([Row((1, 2)), Row((3, 4))]))] == [(1, 2), (3, 4)]
    assert taken(Fields(a=1))[0].cells == {"a": 1}
    assert isinstance(Fields(a=1), Mapping)
