"""Data frames of pandas, polars, Arrow and Spark become tables, by their public methods alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from modeltap.capture.arrays import block_of, number_column
from modeltap.capture.cells import Refused, read_column
from modeltap.capture.records import Shape, carried_of, read_columns, read_records, read_rows
from modeltap.capture.tables import Block, Carried, Cells, Parts, Table
from modeltap.core.correlation import CORRELATION_COLUMNS
from modeltap.core.schema import NULL

FEW_ROWS = 16
"""Up to here one object array of a pandas frame is quicker than its columns one by one."""


def read_pandas(frame: Any, shape: Shape) -> Table:
    """A pandas data frame."""
    names: list[object] = frame.columns.tolist()
    carried, frame, names = _take_out_pandas(frame, names)
    rows = len(frame)
    dtypes = frame.dtypes.tolist()
    if not rows:
        return Cells(0, (), [])
    if len(set(dtypes)) == 1 and getattr(dtypes[0], "kind", "O") in "fiub" and hasattr(dtypes[0], "str"):
        found = block_of(frame.to_numpy())
        if found is not None:
            block = Block(rows, len(names), *found)
            block.names, block.carried = tuple(names), carried
            return block
    if rows <= FEW_ROWS and not any(getattr(dtype, "kind", "O") in "mM" for dtype in dtypes):
        table = read_rows(frame.to_numpy(dtype=object).tolist(), tuple(names))
    else:
        table = _read_pandas_columns(frame, dtypes, tuple(names))
    table.carried = carried
    return table


def _take_out_pandas(frame: Any, names: list[object]) -> tuple[Carried | None, Any, list[object]]:
    if CORRELATION_COLUMNS[0] not in names or not all(name in names for name in CORRELATION_COLUMNS):
        return None, frame, names
    carried = carried_of(frame[list(CORRELATION_COLUMNS)].to_numpy(dtype=object).tolist())
    kept = [position for position, name in enumerate(names) if name not in CORRELATION_COLUMNS]
    return carried, frame.iloc[:, kept], [names[position] for position in kept]


def _read_pandas_columns(frame: Any, dtypes: Sequence[Any], names: tuple[object, ...]) -> Table:
    types, parts = [], []
    for position, dtype in enumerate(dtypes):
        column = frame.iloc[:, position]
        if getattr(dtype, "kind", "O") in "fiub" and hasattr(dtype, "str"):
            kind, part = number_column(column.to_numpy())
        else:
            kind, part = read_column(column.tolist())
        types.append(kind)
        parts.append(part)
    return Parts(len(frame), tuple(types), parts, names)


def read_polars(frame: Any, shape: Shape) -> Table:
    """A polars data frame; a lazy one is refused, since running it is no snapshot's business."""
    if not hasattr(frame, "get_columns"):
        raise Refused("lazy_frame")
    columns = {column.name: column for column in frame.get_columns()}
    return _read_typed(
        list(columns), [column.to_list() for column in columns.values()], [str(c.dtype) for c in columns.values()]
    )


def read_arrow(table: Any, shape: Shape) -> Table:
    """A pyarrow table or record batch."""
    return _read_typed(
        list(table.schema.names),
        [column.to_pylist() for column in table.columns],
        [str(field.type) for field in table.schema],
    )


def read_arrow_stream(value: Any, shape: Shape) -> Table:
    """Anything with ``__arrow_c_stream__``, through whichever Arrow library is there."""
    for library in ("pyarrow", "polars"):
        if library in sys.modules:
            return _through(library, value, shape)
    for library in ("pyarrow", "polars"):
        try:
            import_module(library)
        except ImportError:
            continue
        return _through(library, value, shape)
    raise Refused("no_arrow_library")


def _through(library: str, value: Any, shape: Shape) -> Table:
    module: Any = sys.modules[library]
    if library == "pyarrow":
        return read_arrow(module.table(value), shape)
    return read_polars(module.DataFrame(value), shape)


def read_spark(frame: Any, shape: Shape) -> Table:
    """A Spark data frame: its rows are fetched, so only outside a request."""
    if shape.in_request:
        raise Refused("spark_in_request")
    names = tuple(frame.columns)
    rows = [list(row) for row in frame.collect()]
    if not rows:
        return Cells(0, (), [])
    if all(name in names for name in CORRELATION_COLUMNS):
        return read_records([dict(zip(names, row, strict=True)) for row in rows], Shape())
    return read_columns(list(zip(*rows, strict=True)), len(rows), names)


def _read_typed(names: list[str], columns: list[list[Any]], dtypes: list[str]) -> Table:
    """Columns whose source states their types: one without a value keeps the stated type."""
    carried = None
    if all(name in names for name in CORRELATION_COLUMNS):
        found = [columns[names.index(name)] for name in CORRELATION_COLUMNS]
        carried = carried_of(list(zip(*found, strict=True)))
        kept = [position for position, name in enumerate(names) if name not in CORRELATION_COLUMNS]
        names = [names[position] for position in kept]
        columns = [columns[position] for position in kept]
        dtypes = [dtypes[position] for position in kept]
    rows = len(columns[0]) if columns else 0
    table = read_columns(columns, rows, tuple(names), carried)
    stated = tuple(
        _stated_type(dtype) if kind == NULL else kind for kind, dtype in zip(table.types, dtypes, strict=True)
    )
    return Cells(rows, stated, table.cells, table.names, carried) if isinstance(table, Cells) else table


_STATED = (
    (("int", "uint"), "int64"),
    (("float", "double", "half"), "float64"),
    (("bool",), "bool"),
    (("str", "utf8", "large_string", "categorical", "enum"), "string"),
    (("datetime", "timestamp"), "timestamp"),
    (("decimal",), "decimal"),
    (("binary", "large_binary"), "binary"),
    (("list", "struct", "map", "array", "object"), "json"),
)


def _stated_type(dtype: str) -> str:
    lowered = dtype.lower()
    for prefixes, kind in _STATED:
        if lowered.startswith(prefixes):
            return kind
    return NULL
