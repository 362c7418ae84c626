"""Data frames of pandas, polars, Arrow and Spark become tables, by their public methods alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from modeltap.capture.arrays import block_of, number_column
from modeltap.capture.cells import Refused, read_column
from modeltap.capture.records import Shape, carried_of, read_columns, read_rows
from modeltap.capture.tables import Block, Carried, Cells, Parts, Table
from modeltap.core.correlation import CORRELATION_COLUMNS
from modeltap.core.schema import NULL

FEW_ROWS = 16
"""Up to here one object array of a pandas frame is quicker than its columns one by one."""


def read_pandas(frame: Any, shape: Shape) -> Table:
    """A pandas data frame."""
    names: list[object] = frame.columns.tolist()
    carried, frame, names = _take_out_pandas(frame, names)
    rows = frame.shape[0]
    if not rows:
        return Cells(0, (), [])
    if rows <= FEW_ROWS:
        table = read_rows(_few_rows(frame, rows), tuple(names))
        table.carried = carried
        return table
    dtypes = frame.dtypes.tolist()
    if len(set(dtypes)) == 1 and getattr(dtypes[0], "kind", "O") in "fiub" and hasattr(dtypes[0], "str"):
        found = block_of(frame.to_numpy())
        if found is not None:
            block = Block(rows, len(names), *found)
            block.names, block.carried = tuple(names), carried
            return block
    table = _read_pandas_columns(frame, dtypes, tuple(names))
    table.carried = carried
    return table


def _few_rows(frame: Any, rows: int) -> list[list[Any]]:
    """Rows as Python values, each of its own column's type."""
    values: list[list[Any]] = []
    if rows == 1:
        row = frame.iloc[0]
        if getattr(row.dtype, "char", "") == "O":  # else the columns were cast to a common type
            values = [[cell.item() if type(cell).__module__ == "numpy" else cell for cell in row.tolist()]]
    values = values or frame.to_numpy(dtype=object).tolist()
    if any(type(cell) is float and cell != cell for row in values for cell in row):
        numbers = [getattr(dtype, "kind", "O") == "f" for dtype in frame.dtypes.tolist()]
        values = [[_cell(cell, number) for cell, number in zip(row, numbers, strict=True)] for row in values]
    return values


def _cell(cell: Any, is_number: bool) -> Any:
    """A NaN stands for no value in every column but one of floats."""
    return cell if is_number or type(cell) is not float or cell == cell else None


def _take_out_pandas(frame: Any, names: list[object]) -> tuple[Carried | None, Any, list[object]]:
    if names and type(names[0]) is tuple:  # several levels: what add_correlations adds has a first one only
        names = [name[0] if type(name) is tuple and name[0] in CORRELATION_COLUMNS else name for name in names]
    if CORRELATION_COLUMNS[0] not in names or not all(name in names for name in CORRELATION_COLUMNS):
        return None, frame, names
    found = frame.iloc[:, [names.index(name) for name in CORRELATION_COLUMNS]]
    kept = [position for position, name in enumerate(names) if name not in CORRELATION_COLUMNS]
    carried = carried_of(found.to_numpy(dtype=object).tolist())
    return carried, frame.iloc[:, kept], [names[position] for position in kept]


def _read_pandas_columns(frame: Any, dtypes: Sequence[Any], names: tuple[object, ...]) -> Table:
    types, parts = [], []
    for position, dtype in enumerate(dtypes):
        column = frame.iloc[:, position]
        if getattr(dtype, "kind", "O") in "fiub" and hasattr(dtype, "str"):
            kind, part = number_column(column.to_numpy())
        else:
            is_number = getattr(dtype, "kind", "O") == "f"
            kind, part = read_column([_cell(cell, is_number) for cell in column.tolist()])
        types.append(kind)
        parts.append(part)
    return Parts(len(frame), tuple(types), parts, names)


def read_polars(frame: Any, shape: Shape) -> Table:
    """A polars data frame; a lazy one is refused, since running it is no snapshot's business."""
    if not hasattr(frame, "get_columns"):
        raise Refused("lazy_frame")
    columns = {column.name: column for column in frame.get_columns()}
    return _read_typed(
        list(columns), [_polars_cells(column) for column in columns.values()], [str(c.dtype) for c in columns.values()]
    )


class _Instant(datetime):
    """An instant with the three digits that a datetime has no room for."""

    nanosecond = 0


def _polars_cells(column: Any) -> list[Any]:
    """The cells of a column; nanoseconds, which ``to_list`` cuts off, are kept."""
    kind = str(column.dtype)
    if not kind.startswith(("Datetime(time_unit='ns'", "Duration(time_unit='ns'", "Time")):
        return list(column.to_list())
    counts = column.to_physical()
    if not (counts % 1000 != 0).any():
        return list(column.to_list())
    if not kind.startswith("Datetime"):
        return list(column.dt.to_string("iso").to_list())
    cells = []
    for moment, nanoseconds in zip(column.to_list(), counts.to_list(), strict=True):
        cell = None if moment is None else _Instant.combine(moment.date(), moment.timetz())
        if cell is not None:
            cell.nanosecond = nanoseconds % 1000
        cells.append(cell)
    return cells


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
    rows = frame.collect()
    kinds = [kind for _, kind in frame.dtypes]
    columns = [[row[place] for row in rows] for place in range(len(kinds))]
    for place, kind in enumerate(kinds):
        if kind == "timestamp":  # Spark gives the instant as this machine's wall clock, without a zone
            columns[place] = [None if cell is None else cell.astimezone(UTC) for cell in columns[place]]
    return _read_typed(list(frame.columns), columns, kinds)


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
    (("interval",), NULL),
    (("int", "uint", "bigint", "smallint", "tinyint"), "int64"),
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
