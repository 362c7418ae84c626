"""Arrays: numpy of every type and layout, scipy.sparse, and what gives an array."""

from __future__ import annotations

import array
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from support.spooled import Refusal, Taken

FLOATS = [[0.5, -0.0], [1e-300, 3.0]]
BIG = 2**63 + 5


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8"])
def test_floats_of_any_size_and_byte_order_become_float64(taken: Taken, dtype: str):
    rows = taken(np.array([[0.5, -2.0], [3.0, np.nan]], dtype=dtype))
    assert [row.kinds for row in rows] == [("float64", "float64")] * 2
    assert rows[0].data == (0.5, -2.0)
    assert rows[1].data[0] == 3.0
    assert math.isnan(rows[1].data[1])


def test_a_small_float_keeps_exactly_its_own_value(taken: Taken):
    (row,) = taken(np.array([[0.1, 1 / 3]], dtype="f4"))
    assert row.data == (float(np.float32(0.1)), float(np.float32(1 / 3)))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i2", ">i8", ">u8"])
def test_integers_of_any_size_and_byte_order_become_int64(taken: Taken, dtype: str):
    limits = np.iinfo(dtype)
    low, high = int(limits.min), min(int(limits.max), 2**63 - 1)
    (row,) = taken(np.array([[low, high]], dtype=dtype))
    assert row.data == (low, high)
    assert row.kinds == ("int64", "int64")


@pytest.mark.parametrize("dtype", ["<u8", ">u8"])
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2,)])
def test_an_unsigned_integer_beyond_64_bits_signed_is_a_decimal_and_never_wraps(
    taken: Taken, dtype: str, shape: tuple[int, ...]
):
    rows = taken(np.array([BIG, BIG + 1], dtype=dtype).reshape(shape))
    assert [cell for row in rows for cell in row.data] == [str(BIG), str(BIG + 1)]
    assert {kind for row in rows for kind in row.kinds} == {"decimal"}


def test_a_column_of_large_and_small_unsigned_integers_is_one_column_of_decimals(taken: Taken):
    rows = taken(np.array([[BIG], [7]], dtype="u8"))
    assert [(row.data, row.kinds) for row in rows] == [((str(BIG),), ("decimal",)), (("7",), ("decimal",))]


def test_a_wider_float_is_carried_exactly(taken: Taken):
    assert taken(np.array([[1.5, np.nan]], dtype=np.longdouble))[0].kinds == ("float64", "float64")
    between = np.longdouble(1) + np.finfo(np.longdouble).eps
    (row,) = taken(np.array([[between]], dtype=np.longdouble))
    assert np.longdouble(row.data[0]) == between


def test_bools_stay_bools(taken: Taken):
    rows = taken(np.array([[True, False], [False, True]]))
    assert [(row.data, row.kinds) for row in rows] == [
        ((True, False), ("bool", "bool")),
        ((False, True), ("bool", "bool")),
    ]


def test_text_and_bytes(taken: Taken):
    (row,) = taken(np.array([["", "é,\n"]]))
    assert (row.data, row.kinds) == (("", "é,\n"), ("string", "string"))
    (row,) = taken(np.array([[b"ab", b"c"]]))
    assert (row.data, row.kinds) == (("YWI=", "Yw=="), ("binary", "binary"))


@pytest.mark.parametrize(
    ("text", "unit", "written"),
    [
        ("2026", "Y", "2026-01-01T00:00:00.000000"),
        ("2026-11", "M", "2026-11-01T00:00:00.000000"),
        ("2026-11-19", "W", "2026-11-19T00:00:00.000000"),
        ("2026-11-22", "D", "2026-11-22T00:00:00.000000"),
        ("2026-11-22T21", "h", "2026-11-22T21:00:00.000000"),
        ("2026-11-22T21:39", "m", "2026-11-22T21:39:00.000000"),
        ("2026-11-22T21:39:52", "s", "2026-11-22T21:39:52.000000"),
        ("2026-11-22T21:39:52.656", "ms", "2026-11-22T21:39:52.656000"),
        ("2026-11-22T21:39:52.656442", "us", "2026-11-22T21:39:52.656442"),
        ("2026-11-22T21:39:52.656442123", "ns", "2026-11-22T21:39:52.656442123"),
        ("2026-11-22T21:39:52.656442000", "ns", "2026-11-22T21:39:52.656442"),
        ("1970-01-22T21:39:52.656442123000", "ps", "1970-01-22T21:39:52.656442123"),
        ("1677-11-22", "D", "1677-11-22T00:00:00.000000"),
    ],
)
def test_instants_of_every_unit(taken: Taken, text: str, unit: str, written: str):
    (row,) = taken(np.array([[text, "NaT"]], dtype=f"M8[{unit}]"))
    assert row.data == (written, None)
    assert row.kinds[0] == "timestamp"


@pytest.mark.parametrize(
    "value",
    [np.datetime64(10**15, "s"), np.datetime64("-0044-03-15"), np.datetime64("1970-01-01T00:00:00.000000000001")],
)
def test_an_instant_that_no_file_can_hold_is_refused_and_not_bent(refusal: Refusal, value: np.datetime64):
    assert refusal(np.array([[value]])) == {"instant_out_of_range": 1}


def test_durations_keep_their_unit(taken: Taken):
    (row,) = taken(np.array([[90, "NaT"]], dtype="m8[s]"))
    assert (row.data, row.kinds[0]) == (("0:01:30", None), "string")
    assert taken(np.array([[5]], dtype="m8[ns]"))[0].data == ("5 nanoseconds",)
    assert taken(np.array([[5]], dtype="m8[M]"))[0].data == ("5 months",)


def test_objects_are_read_cell_by_cell(taken: Taken):
    cells = np.array([[1, "a", None, Decimal("1.50"), {"k": [1, None]}, np.float32(0.5)]], dtype=object)
    (row,) = taken(cells)
    assert row.data == (1, "a", None, "1.50", '{"k":[1,null]}', 0.5)
    assert row.kinds == ("int64", "string", "null", "decimal", "json", "float64")


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "?", "U3", "O", "M8[us]"])
def test_order_in_memory_does_not_matter(taken: Taken, dtype: str):
    plain = np.arange(6).reshape(3, 2).astype("i8" if dtype == "M8[us]" else dtype).astype(dtype)
    expected = [row.data for row in taken(plain)]
    assert len(expected) == 3
    wide = np.repeat(np.repeat(plain, 2, axis=0), 2, axis=1)
    for same in (np.asfortranarray(plain), wide[::2, ::2], plain[::-1][::-1], plain.T.copy().T):
        assert [row.data for row in taken(same)] == expected
    swapped = plain.astype(plain.dtype.newbyteorder(">"))
    assert [row.data for row in taken(swapped)] == expected


def test_what_is_masked_is_null_and_never_its_filler(taken: Taken):
    rows = taken(np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[True, False], [False, False]]))
    assert [row.data for row in rows] == [(None, 2.0), (3.0, 4.0)]
    (row,) = taken(np.ma.array([7, 8], mask=[False, True]))
    assert row.data == (7, None)
    (row,) = taken(np.ma.array([["2026-01-01", "2026-01-02"]], mask=[[True, False]], dtype="M8[D]"))
    assert row.data == (None, "2026-01-02T00:00:00.000000")
    assert taken(np.ma.array([[1.5, 2.5]]))[0].data == (1.5, 2.5)


def test_a_structured_array_has_the_names_of_its_fields(taken: Taken):
    rows = taken(np.array([(1, 2.5, "x"), (2, 3.5, "y")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]))
    assert [row.cells for row in rows] == [{"a": 1, "b": 2.5, "c": "x"}, {"a": 2, "b": 3.5, "c": "y"}]


@pytest.mark.parametrize("dtype", ["f8", "i8", "?", "U3", "O", "M8[us]"])
def test_no_rows_are_no_rows(taken: Taken, dtype: str):
    assert taken(np.empty((0, 3), dtype=dtype)) == []
    assert taken(np.empty(0, dtype=dtype)) == []


def test_a_row_may_be_without_columns(taken: Taken):
    assert [row.cells for row in taken(np.empty((2, 0)))] == [{}, {}]


def test_feature_names_name_the_columns_in_order(taken: Taken):
    (row,) = taken(np.array(FLOATS)[:1], feature_names=["age", "income"])
    assert row.cells == {"age": 0.5, "income": 0.0}


@pytest.mark.parametrize("value", [np.float64(1.5), np.array(1.5), np.array([1.5])[0]])
def test_a_scalar_of_numpy_is_one_row_of_one_column(taken: Taken, value: Any):
    (row,) = taken(value)
    assert (row.data, row.kinds) == ((1.5,), ("float64",))


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array", "lil_matrix", "dok_array", "dia_array"])
def test_a_sparse_matrix_is_its_rows(taken: Taken, kind: str):
    dense = np.array([[0.0, 1.5], [0.0, 0.0], [2.0, 0.0]])
    rows = taken(getattr(scipy.sparse, kind)(dense))
    assert [row.data for row in rows] == [tuple(row) for row in dense.tolist()]


class Tensor:
    """Gives an array and is none, as tensors do."""

    def __init__(self, values: Any, *, attached: bool = False) -> None:
        self.values = values
        self.attached = attached

    def detach(self) -> Tensor:
        return Tensor(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.attached:
            raise RuntimeError("call detach() first")
        return np.asarray(self.values)


def test_what_gives_an_array_is_read_as_that_array(taken: Taken):
    assert [row.data for row in taken(Tensor(FLOATS))] == [tuple(row) for row in FLOATS]
    assert [row.data for row in taken(Tensor(FLOATS, attached=True))] == [tuple(row) for row in FLOATS]
    assert [row.data for row in taken(Tensor([1.0, 2.0]))] == [(1.0, 2.0)]


def test_an_array_of_the_standard_library_is_flat(taken: Taken):
    assert [row.data for row in taken(array.array("d", [1.0, 2.0]))] == [(1.0, 2.0)]
    assert [row.data for row in taken(array.array("i", [1, 2]), feature_names=["y"])] == [(1,), (2,)]


def test_a_subclass_of_array_is_an_array(taken: Taken):
    class Own(np.ndarray):
        pass

    assert [row.data for row in taken(np.array(FLOATS).view(Own))] == [tuple(row) for row in FLOATS]


@pytest.mark.parametrize("shape", [(2, 2, 2), (1, 1, 1, 1)])
def test_more_than_two_dimensions_are_refused(refusal: Refusal, shape: tuple[int, ...]):
    assert refusal(np.zeros(shape)) == {"too_many_dimensions": 1}
    assert refusal(np.ma.masked_all(shape)) == {"too_many_dimensions": 1}


def test_what_is_no_cell_is_refused(refusal: Refusal):
    assert refusal(np.array([[1 + 2j]])) == {"unsupported_cell": 1}
    assert refusal(np.array([[object()]], dtype=object)) == {"unsupported_cell": 1}
