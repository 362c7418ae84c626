"""Arrays: numpy, scipy.sparse and whatever gives an array become tables, without importing any."""

from __future__ import annotations

import sys
from sys import byteorder
from typing import Any

from modeltap.capture.cells import Refused, read_column
from modeltap.capture.fields import cells_of, labels_of
from modeltap.capture.records import Shape, read_columns, read_list, read_row, read_rows, read_scalar
from modeltap.capture.tables import NOTHING, Block, Table
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
        if dtype.names:
            return read_columns([cells_of(values[name]) for name in dtype.names], values.shape[0], dtype.names)
        length = values.shape[0]
        rows = shape.rows_of_flat(length) if length else 0
        block = block_of(values)
        if block is not None:
            return Block(rows, length // rows if rows else 0, *block)
        cells = cells_of(values)
        return read_row(cells) if rows == 1 else read_columns([cells], rows, None)
    if dimensions == 0:
        return read_scalar(values[()], shape)
    raise Refused("too_many_dimensions")


def _read_matrix(values: Any, rows: int, width: int) -> Table:
    block = block_of(values)
    if block is not None:
        return Block(rows, width, *block)
    if not rows:
        return NOTHING
    return read_rows([list(row) for row in values] if values.dtype.kind in "mM" else cells_of(values))


def read_masked(values: Any, shape: Shape) -> Table:
    """A masked array: what is masked is null."""
    if values.ndim > 2 or not values.mask.any():
        return read_array(values.filled(), shape)
    if values.ndim == 2:
        return read_rows([cells_of(row) for row in values])
    return read_list(cells_of(values), shape) if values.ndim else read_scalar(values[()], shape)


def block_of(values: Any) -> tuple[str, bytes] | None:
    """Layout and bytes of numbers, row by row; None for what is no number of at most 64 bits."""
    dtype = values.dtype
    found = _BLOCK_KINDS.get(dtype.kind)
    if found is None or dtype.itemsize > 8:
        return None
    layout, code = found
    if dtype.kind == "u" and dtype.itemsize == 8 and values.size and values.max() > _MAX_UINT:
        return None
    return layout, (values if dtype.str == code or layout == BOOL else _cast(values, code)).tobytes()


def _cast(values: Any, code: str) -> Any:
    """Quietly: what a NaN raises in the processor is nobody's business here."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return values.astype(code)
    with numpy.errstate(all="ignore"):
        return values.astype(code)


def read_series(values: Any, shape: Shape) -> Table:
    """A pandas or polars series: one row; the rows of the inputs call when it has as many values."""
    cells = cells_of(values)
    rows = shape.expected_rows
    if rows is not None and rows > 1 and len(cells) == rows:
        return read_columns([cells], rows, None)
    return read_row(cells, labels_of(values)) if cells else NOTHING


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
