"""Arrays: numpy, scipy.sparse and whatever gives an array become tables, without importing any."""

from __future__ import annotations

from sys import byteorder
from typing import Any

from modeltap.capture.cells import Refused, read_column
from modeltap.capture.records import Shape, read_columns, read_row, read_rows, read_scalar
from modeltap.capture.tables import Block, Cells, Table
from modeltap.core.schema import BOOL, FLOAT64, INT64

_BLOCK_KINDS = {"f": (FLOAT64, "<f8"), "i": (INT64, "<i8"), "u": (INT64, "<i8"), "b": (BOOL, "?")}
_MAX_UINT = (1 << 63) - 1
_NATIVE_DOUBLE = "d" if byteorder == "little" else ""


def read_array(values: Any, shape: Shape) -> Table:
    """A numpy array of at most two dimensions, or an object with the same methods."""
    dtype = values.dtype
    dimensions = values.ndim
    if dimensions == 2:
        rows, width = values.shape
        if dtype.char == _NATIVE_DOUBLE and dtype.isnative:
            return Block(rows, width, FLOAT64, values.tobytes())
        return _read_matrix(values, rows, width)
    if dimensions == 1:
        length = values.shape[0]
        rows = shape.rows_of_flat(length) if length else 0
        if dtype.kind in _BLOCK_KINDS:
            return _read_matrix(values, rows, length // rows if rows else 0)
        cells = values.tolist() if dtype.kind not in "mM" else list(values)
        return read_row(cells) if rows == 1 else read_columns([cells], rows, None)
    if dimensions == 0:
        return read_scalar(values[()], shape)
    raise Refused("too_many_dimensions")


def _read_matrix(values: Any, rows: int, width: int) -> Table:
    block = block_of(values)
    if block is not None:
        layout, data = block
        return Block(rows, width, layout, data)
    if not rows:
        return Cells(0, (), [])
    if values.dtype.kind in "mM":
        return read_columns([list(values[:, column]) for column in range(width)], rows, None)
    return read_rows(values.tolist())


def block_of(values: Any) -> tuple[str, bytes] | None:
    """Layout and bytes of numbers, row by row; None for what is no number of at most 64 bits."""
    dtype = values.dtype
    found = _BLOCK_KINDS.get(dtype.kind)
    if found is None or dtype.itemsize > 8:
        return None
    layout, code = found
    if dtype.str == "<u8" and values.size and values.max() > _MAX_UINT:
        return None
    return layout, (values if dtype.str == code or layout == BOOL else values.astype(code)).tobytes()


def read_series(values: Any, shape: Shape) -> Table:
    """A pandas or polars series: one row; the rows of the inputs call when it has as many values."""
    cells = values.tolist() if hasattr(values, "tolist") else values.to_list()
    rows = shape.expected_rows
    if rows is not None and rows > 1 and len(cells) == rows:
        return read_columns([cells], rows, None)
    names = _labels(values)
    return read_row(cells, names) if cells else Cells(0, (), [])


def _labels(values: Any) -> tuple[object, ...] | None:
    index = getattr(values, "index", None)
    labels = index.tolist() if index is not None and hasattr(index, "tolist") else None
    return tuple(labels) if labels and all(isinstance(label, str) for label in labels) else None


def read_sparse(values: Any, shape: Shape) -> Table:
    """A scipy.sparse matrix or array."""
    return read_array(values.toarray(), shape)


def read_array_like(values: Any, shape: Shape) -> Table:
    """Anything that gives an array: tensors and the like."""
    detached = values.detach() if hasattr(values, "detach") else values
    return read_array(detached.__array__(), shape)


def number_column(values: Any) -> tuple[str, bytes | list[Any]]:
    """Type and content of one numpy column."""
    block = block_of(values)
    return block if block is not None else read_column(values.tolist())
