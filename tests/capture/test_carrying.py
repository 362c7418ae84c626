"""add_correlations on every form, and collect taking the columns out again."""

from __future__ import annotations

import array
import dataclasses
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
import scipy.sparse

import modeltap
from modeltap.core.correlation import CORRELATION_COLUMNS
from support import originals
from support.pythons import python
from support.spooled import Row, Spooled, Start

INPUTS = [[0, 0.5], [1, 1.5], [2, 2.5]]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OUTSIDE = "00000000-0000-0000-0000-000000000000"


@dataclasses.dataclass
class Score:
    y: float


class Answer(pydantic.BaseModel):
    y: float


class Pair(NamedTuple):
    y: float


def collectors(**options: Any) -> tuple[modeltap.ModelDataCollector, modeltap.ModelDataCollector]:
    """The inputs and the predictions of one model."""
    return (
        modeltap.ModelDataCollector("m", "inputs"),
        modeltap.ModelDataCollector("m", "predictions", **options),
    )


def carried(spooled: Spooled, data: Any, inputs: Any = INPUTS, user: Any = "", **options: Any) -> list[Row]:
    """Predictions that were given the inputs' correlations and are collected after another request began."""
    first, second = collectors(**options)
    correlations = first.collect(inputs, user)
    joined = second.add_correlations(data, correlations)
    first.collect([[9, 9.5], [9, 9.5], [9, 9.5]])
    before = len(spooled.rows("predictions"))
    assert second.collect(joined) is not None, modeltap.stats()["rejected"]
    assert correlations is not None
    rows = spooled.rows("predictions")[before:]
    assert {row.request_id for row in rows} <= {correlations["$aml_request_id"]}
    return rows


# ---- the eight values


def test_the_values_are_the_originals_by_name_order_and_form(spooled: Spooled):
    collector = modeltap.ModelDataCollector(
        "m_numpy", "inputs", ["f1", "f2"], workspace="sub1/rg1/ws1", webservice_name="svc", model_version="3"
    )
    given = collector.collect(np.array([[0.1, 1e-17]]), "cust-1")
    header, rows = originals.read("sub1/rg1/ws1/svc/m_numpy/3/inputs/2026/11/22/inputs.csv")
    assert given is not None
    assert tuple(given) == CORRELATION_COLUMNS == tuple(header[2:])
    theirs = dict(zip(header[2:], rows[2][2:], strict=True))
    assert theirs["$aml_dc_correlation_id"].startswith("cust-1-")
    assert given["$aml_dc_correlation_id"].startswith("cust-1-")
    for name in header[4:9]:
        assert str(given[name]) == theirs[name], name
    for values in (given, theirs):
        assert UUID.fullmatch(values["$aml_dc_correlation_id"].removeprefix("cust-1-"))
        assert UUID.fullmatch(values["$aml_request_id"])
        assert datetime.fromisoformat(values["$aml_dc_scoring_timestamp"]).tzinfo is None
        assert len(values["$aml_dc_scoring_timestamp"]) == len("2026-11-22T22:36:24.668020")


def test_outside_any_name_the_values_are_the_originals_defaults(spooled: Spooled):
    given = modeltap.ModelDataCollector("m").collect([1])
    assert given is not None
    assert [given[name] for name in CORRELATION_COLUMNS[2:7]] == [
        1440,
        "default/default/default",
        "default",
        "m",
        "default",
    ]


def test_an_hourly_boundary_is_told_as_the_original_does(start: Start):
    start(AML_MODEL_DC_BOUNDARY="hour")
    given = modeltap.ModelDataCollector("m").collect([1])
    assert given is not None
    assert given["$aml_dc_boundary"] == 60


def test_each_call_has_a_dict_of_its_own(spooled: Spooled):
    collector = modeltap.ModelDataCollector("m", "inputs")
    first, second = collector.collect([1]), collector.collect([1])
    assert first is not None
    assert second is not None
    assert first["$aml_request_id"] != second["$aml_request_id"]
    first.clear()
    assert len(collector.collect([1]) or {}) == 8


# ---- every form of N rows


FORMS: dict[str, tuple[Any, type]] = {
    "pandas": (pd.DataFrame({"y": [0.5, 1.5, 2.5]}), pd.DataFrame),
    "polars": (pl.DataFrame({"y": [0.5, 1.5, 2.5]}), pl.DataFrame),
    "arrow table": (pa.table({"y": [0.5, 1.5, 2.5]}), pa.Table),
    "arrow batch": (pa.record_batch({"y": [0.5, 1.5, 2.5]}), pa.RecordBatch),
    "duckdb": (None, pa.Table),
    "dict of columns": ({"y": [0.5, 1.5, 2.5]}, dict),
    "dict of arrays": ({"y": np.array([0.5, 1.5, 2.5])}, dict),
    "list of dicts": ([{"y": 0.5}, {"y": 1.5}, {"y": 2.5}], list),
    "list of dataclasses": ([Score(0.5), Score(1.5), Score(2.5)], list),
    "list of pydantic models": ([Answer(y=0.5), Answer(y=1.5), Answer(y=2.5)], list),
    "list of named tuples": ([Pair(0.5), Pair(1.5), Pair(2.5)], list),
    "structured array": (np.array([(0.5,), (1.5,), (2.5,)], dtype=[("y", "f8")]), list),
    "array": (np.array([[0.5], [1.5], [2.5]]), np.ndarray),
    "flat array": (np.array([0.5, 1.5, 2.5]), np.ndarray),
    "masked array": (np.ma.array([0.5, 1.5, 2.5], mask=[False] * 3), np.ndarray),
    "sparse matrix": (scipy.sparse.csr_array(np.array([[0.5], [1.5], [2.5]])), np.ndarray),
    "series": (pd.Series([0.5, 1.5, 2.5]), np.ndarray),
    "polars series": (pl.Series([0.5, 1.5, 2.5]), list),
    "arrow array": (pa.array([0.5, 1.5, 2.5]), list),
    "array of the standard library": (array.array("d", [0.5, 1.5, 2.5]), list),
    "list": ([0.5, 1.5, 2.5], list),
    "tuple": ((0.5, 1.5, 2.5), list),
    "list of lists": ([[0.5], [1.5], [2.5]], list),
    "list of arrays": ([np.array([0.5]), np.array([1.5]), np.array([2.5])], list),
}


@pytest.fixture
def data(form: str) -> Any:
    """The rows in one form; those of DuckDB live no longer than the test."""
    if form == "duckdb":
        return duckdb.sql("select * from (values (0.5::double), (1.5), (2.5)) as rows(y)")
    return FORMS[form][0]


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_every_form_join_the_inputs_that_they_were_given(spooled: Spooled, form: str, data: Any):
    kind = FORMS[form][1]
    joined = collectors()[1].add_correlations(data, collectors()[0].collect(INPUTS))
    assert isinstance(joined, kind)
    rows = carried(spooled, data)
    assert [(row.row, row.data, row.correlation_id) for row in rows] == [
        (0, (0.5,), ""),
        (1, (1.5,), ""),
        (2, (2.5,), ""),
    ]
    assert modeltap.stats()["unpaired_rows"] == 0


@pytest.mark.parametrize("form", FORMS)
def test_without_correlations_data_of_every_form_are_unchanged(spooled: Spooled, data: Any):
    predictions = collectors()[1]
    for nothing in (None, {}, {"$aml_request_id": "x"}, 17, "text"):
        assert predictions.add_correlations(data, nothing) is data


@pytest.mark.parametrize(
    "data",
    [0.5, 3, "yes", b"no", True, Decimal("0.5"), datetime(2026, 1, 1), np.float64(0.5), np.int8(3), np.array(0.5)],  # noqa: DTZ001  a naive instant is a cell too
)
def test_a_scalar_joins_its_one_row(spooled: Spooled, data: Any):
    plain = collectors()
    plain[0].collect([[1]])
    plain[1].collect(data)
    rows = carried(spooled, data, inputs=[[1]])
    assert [(row.row, row.data, row.kinds) for row in rows] == [(0, spooled.rows("predictions")[0].data, rows[0].kinds)]


@pytest.mark.parametrize(
    "data", [{"y": 0.5, "z": "a"}, Score(0.5), Answer(y=0.5), Pair(0.5), [0.5], [[0.5]], np.array([0.5])]
)
def test_one_row_joins_its_row(spooled: Spooled, data: Any):
    assert [row.row for row in carried(spooled, data, inputs=[[1]])] == [0]


def test_after_inputs_of_one_row_a_list_of_scores_is_one_row_with_or_without_correlations(spooled: Spooled):
    assert [row.data for row in carried(spooled, [0.1, 0.9], inputs=[[1]])] == [(0.1, 0.9)]
    assert [row.data for row in carried(spooled, np.array([0.1, 0.9]), inputs=[[1]], feature_names=["y"])] == [
        (0.1, 0.9)
    ]


def test_several_columns_of_every_type_are_carried_whole(spooled: Spooled):
    data = [[0.5, "x", None, True], [1.5, "y", 2, False], [2.5, "z", 3, None]]
    assert [row.data for row in carried(spooled, data)] == [tuple(row) for row in data]


def test_instants_in_arrays_stay_instants(spooled: Spooled):
    data = np.array(["2026-11-22T21:39:52.656442123"] * 3, dtype="M8[ns]")
    assert {row.data for row in carried(spooled, data)} == {("2026-11-22T21:39:52.656442123",)}


def test_columns_of_several_levels_are_recognised_too(spooled: Spooled):
    frame = pd.DataFrame([[0.5], [1.5], [2.5]], columns=pd.MultiIndex.from_tuples([("score", "y")]))
    assert [(row.row, row.data) for row in carried(spooled, frame)] == [(0, (0.5,)), (1, (1.5,)), (2, (2.5,))]


def test_correlations_added_twice_are_those_of_the_second_time(spooled: Spooled):
    inputs, predictions = collectors()
    first, second = inputs.collect([[1]]), inputs.collect([[2]])
    frame = predictions.add_correlations(predictions.add_correlations(pl.DataFrame({"y": [1]}), first), second)
    assert frame.columns == ["y", *CORRELATION_COLUMNS]
    predictions.collect(frame)
    assert second is not None
    assert spooled.rows("predictions")[0].pair == (second["$aml_request_id"], 0)


@pytest.mark.parametrize("data", [None, object(), np.zeros((2, 2, 2)), pl.LazyFrame({"y": [1]}), {1, 2}, len])
def test_what_cannot_carry_columns_is_given_back_as_it_is(spooled: Spooled, data: Any):
    inputs, predictions = collectors()
    assert predictions.add_correlations(data, inputs.collect(INPUTS)) is data


def test_nothing_is_carried_by_no_rows(spooled: Spooled):
    for data in ([], pd.DataFrame({"y": []}), np.empty((0, 2))):
        assert carried(spooled, data) == []


# ---- rows that took another way


def test_rows_that_were_filtered_sorted_or_sent_one_by_one_join_their_own_input(spooled: Spooled):
    inputs, predictions = collectors()
    correlations = inputs.collect([[number] for number in range(20)])
    frame = predictions.add_correlations(pd.DataFrame({"y": range(20)}), correlations)
    predictions.collect(frame[frame["y"] % 3 == 0].sort_values("y", ascending=False))
    predictions.collect(frame[4:5])
    listed = predictions.add_correlations(list(range(20)), correlations)
    predictions.collect(listed[7])
    predictions.collect([listed[11], listed[2]])
    pairs = spooled.pairs()
    assert [left.data for left, _ in pairs] == [right.data for _, right in pairs]
    assert [right.data for _, right in pairs] == [(18,), (15,), (12,), (9,), (6,), (3,), (0,), (4,), (7,), (11,), (2,)]


def test_rows_collected_in_other_threads_join(spooled: Spooled):
    inputs, predictions = collectors()
    made = [
        predictions.add_correlations(pd.DataFrame({"y": [number, -number]}), inputs.collect([[number], [-number]]))
        for number in range(100)
    ]
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(predictions.collect, reversed(made)))
    pairs = spooled.pairs()
    assert len(pairs) == 200
    assert all(left.data == right.data for left, right in pairs)


def test_rows_collected_in_another_process_join(spooled: Spooled):
    inputs, predictions = collectors()
    frame = predictions.add_correlations(pd.DataFrame({"y": [5, 6]}), inputs.collect([[5], [6]], ["a", "b"]))
    text = frame.iloc[::-1].to_json(orient="records")
    script = "import json, sys, modeltap; c = modeltap.ModelDataCollector('m', 'predictions'); "
    ended = python(script + "assert c.collect(json.loads(sys.argv[1])); modeltap.close()", text)
    assert ended.err == ""
    pairs = spooled.pairs()
    assert [(left.data, right.data, right.correlation_id) for left, right in pairs] == [
        ((6,), (6,), "b"),
        ((5,), (5,), "a"),
    ]


def test_predictions_after_midnight_stand_on_the_day_of_their_inputs(spooled: Spooled):
    inputs, predictions = collectors()
    correlations = inputs.collect([[1], [2]])
    assert correlations is not None
    frame = predictions.add_correlations(pd.DataFrame({"y": [1, 2]}), correlations)
    frame["$aml_dc_scoring_timestamp"] = ["2026-01-31T23:59:59.999999", "2026-02-01T00:00:00"]
    predictions.collect(frame)
    assert [(row.row, row.day) for row in spooled.rows("predictions")] == [(0, 20484), (1, 20485)]


def test_a_call_has_no_rows_of_its_own_in_the_row_count_of_another(spooled: Spooled):
    assert [row.row for row in carried(spooled, pd.DataFrame({"y": [1, 2]}))] == [None, None]
    assert modeltap.stats()["unpaired_rows"] == 2


def test_values_copied_by_hand_onto_all_rows_join_by_their_order(spooled: Spooled):
    inputs, predictions = collectors()
    correlations = inputs.collect(INPUTS, "loan-1")
    inputs.collect(INPUTS)
    assert correlations is not None
    predictions.collect(pd.DataFrame({"y": [0, 1, 2]}).assign(**correlations))
    assert [(left.data[0], right.data[0], right.correlation_id) for left, right in spooled.pairs()] == [
        *[(0, 0, "loan-1"), (1, 1, "loan-1"), (2, 2, "loan-1")]
    ]
    predictions.collect(pd.DataFrame({"y": [0, 1]}).assign(**correlations))
    assert [row.row for row in spooled.rows("predictions")[3:]] == [None, None]


# ---- the user's own ids


def test_one_id_of_the_users_goes_with_every_row(spooled: Spooled):
    rows = carried(spooled, [0.1, 0.2, 0.3], user="loan-17")
    assert [(row.row, row.correlation_id) for row in rows] == [(0, "loan-17"), (1, "loan-17"), (2, "loan-17")]


@pytest.mark.parametrize(
    "user",
    [
        ["a", "", "c"],
        ("a", None, "c"),
        np.array(["a", "", "c"]),
        pd.Series(["a", "", "c"]),
        pl.Series(["a", None, "c"]),
    ],
)
def test_as_many_ids_as_rows_go_one_with_each(spooled: Spooled, user: Any):
    rows = carried(spooled, [0.1, 0.2, 0.3], user=user)
    assert [(row.row, row.correlation_id) for row in rows] == [(0, "a"), (1, ""), (2, "c")]
    assert [row.correlation_id for row in spooled.rows("inputs")[:3]] == ["a", "", "c"]


def test_an_id_never_goes_to_the_row_of_another(spooled: Spooled):
    rows = carried(spooled, [[0.1], [0.2]], user=["a", "b", "c"])
    assert [(row.row, row.correlation_id) for row in rows] == [(None, ""), (None, "")]


@pytest.mark.parametrize(
    ("user", "text"),
    [(17, "17"), (np.str_("x"), "x"), (None, ""), (b"x", "b'x'"), (["only"], "only"), ("with - and -", "with - and -")],
)
def test_an_id_of_another_type_is_its_text(spooled: Spooled, user: Any, text: str):
    rows = carried(spooled, pd.DataFrame({"y": [1]}), inputs=[[1]], user=user)
    assert [(row.row, row.correlation_id) for row in rows] == [(0, text)]
    assert spooled.rows("inputs")[0].correlation_id == text


def test_an_id_that_looks_like_a_uuid_is_the_users_all_the_same(spooled: Spooled):
    own = "6ec45208-f1a6-4870-b99e-9e9a497e2132"
    rows = carried(spooled, pd.DataFrame({"y": [1, 2, 3]}), user=own)
    assert [(row.row, row.correlation_id) for row in rows] == [(0, own), (1, own), (2, own)]


def test_a_wrong_number_of_ids_is_refused_with_all_rows(spooled: Spooled):
    inputs, _ = collectors()
    assert inputs.collect(pd.DataFrame({"a": [1, 2, 3]}), ["a", "b"]) is None
    assert modeltap.stats()["rejected"] == {"correlation_ids_mismatch": 3}
    assert inputs.collect(pd.DataFrame({"a": []}), ["a", "b"]) is not None


def test_an_id_beyond_all_bounds_is_refused_and_long_ones_are_kept(spooled: Spooled):
    inputs, _ = collectors()
    assert inputs.collect([[1]], "x" * 65_535) is not None
    assert inputs.collect([[1], [2]], "é" * 65_535) is None
    assert modeltap.stats()["rejected"] == {"correlation_id_too_long": 2}
    assert inputs.collect([[1], [2]], ["x" * 10_000, "y"]) is not None
    assert [len(row.correlation_id) for row in spooled.rows()] == [65_535, 4096, 1]


def test_an_id_that_utf_8_cannot_hold_is_replaced_wherever_it_comes_from(spooled: Spooled):
    rows = carried(spooled, pd.DataFrame({"y": [1, 2, 3]}), user="\ud800x")
    assert {row.correlation_id for row in spooled.rows()[:3]} == {"?x"}
    assert {row.correlation_id for row in rows} == {"?x"}


# ---- ids that modeltap did not make


def foreign(values: Mapping[str, Any], rows: int = 3) -> pd.DataFrame:
    return pd.DataFrame({"y": range(rows)}).assign(**values)


def test_the_originals_own_rows_never_join_by_their_ids(spooled: Spooled):
    inputs, predictions = collectors()
    inputs.collect([[1]] * 4)
    inputs.collect([[1], [2]])
    header, rows = originals.read("sub1/rg1/ws1/svc/m_pandas/3/predictions/2026/11/22/predictions.csv")
    predictions.collect(pd.DataFrame(rows, columns=header))
    found = spooled.rows("predictions")
    assert found[0].cells == {"pred": "0.1", "lab": "é"}
    assert {row.row for row in found} == {None}
    assert {row.request_id for row in found} == {spooled.rows("inputs")[-1].request_id}
    assert {row.day for row in found} == {20_779}
    assert {row.correlation_id for row in found} == {""}


def test_a_foreign_request_id_is_never_taken_over(spooled: Spooled):
    inputs, predictions = collectors()
    correlations = inputs.collect([[1], [2], [3]])
    assert correlations is not None
    for request_id in (
        OUTSIDE,
        "6ec45208-f1a6-4870-b99e-9e9a497e2132",
        "r",
        "",
        correlations["$aml_request_id"].upper(),
    ):
        predictions.collect(foreign(correlations | {"$aml_request_id": request_id}, 2))
        predictions.collect(foreign(correlations | {"$aml_dc_correlation_id": "c", "$aml_request_id": request_id}, 2))
    rows = spooled.rows("predictions")
    assert len(rows) == 20
    assert {row.request_id for row in rows} == {correlations["$aml_request_id"]}, "the scope's own"
    assert {row.row for row in rows} == {None}


def test_foreign_ids_that_name_nothing_leave_the_usual_pairing(spooled: Spooled):
    inputs, predictions = collectors()
    values = dict(zip(CORRELATION_COLUMNS, ["c", "x", 1440, "a/b/c", "s", "m", "1", OUTSIDE], strict=True))
    inputs.collect(foreign(values).rename(columns={"y": "x"}))
    predictions.collect(foreign(values))
    assert [(left.data, right.data, right.correlation_id) for left, right in spooled.pairs()] == [
        *[((0,), (0,), "c"), ((1,), (1,), "c"), ((2,), (2,), "c")]
    ]


def test_ids_of_one_request_beside_another_request_name_no_row(spooled: Spooled):
    inputs, predictions = collectors()
    first, second = inputs.collect([[1]]), inputs.collect([[2]])
    assert first is not None
    assert second is not None
    mixed = first | {"$aml_request_id": second["$aml_request_id"]}
    predictions.collect(pd.concat([foreign(mixed, 1), foreign(first, 1)]))
    rows = spooled.rows("predictions")
    assert [(row.request_id == first["$aml_request_id"], row.row) for row in rows] == [(False, None), (True, 0)]


def test_a_list_whose_last_values_only_resemble_correlations_is_features(spooled: Spooled):
    _, predictions = collectors()
    values = ["6ec45208-f1a6-4870-b99e-9e9a497e2132", "2026-11-22T22:36:28", 1440, "a/b/c", "s", "m", "3", OUTSIDE]
    for place, other in ((0, "x"), (1, "yesterday"), (2, 7), (3, "a/b"), (7, "r")):
        resembling = [*values[:place], other, *values[place + 1 :]]
        predictions.collect([[0.5, *resembling]])
        assert len(spooled.rows("predictions")[-1].data) == 9
    predictions.collect([[0.5, *values]])
    assert spooled.rows("predictions")[-1].data == (0.5,)
    predictions.collect([values])
    assert len(spooled.rows("predictions")[-1].data) == 8


def test_columns_that_lack_one_of_the_eight_are_features(spooled: Spooled):
    inputs, predictions = collectors()
    frame = predictions.add_correlations(pd.DataFrame({"y": [1]}), inputs.collect([[1]]))
    predictions.collect(frame.drop(columns="$aml_model_name"))
    names = tuple(spooled.rows("predictions")[-1].cells)
    assert names == ("y", *[f"_{name}" for name in CORRELATION_COLUMNS if name != "$aml_model_name"])


def test_one_frame_says_ids_once_when_all_its_rows_share_them(spooled: Spooled):
    carried(spooled, pd.DataFrame({"y": [1, 2, 3]}), user="loan")
    (frame,) = spooled.frames("predictions")
    assert frame.row_ids is None
    assert (frame.first_row, frame.correlation_id) == (0, "loan")
