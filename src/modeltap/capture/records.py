"""Plain Python values: lists, dicts, records and scalars become tables.

Flat values follow the rules of shape: with an inputs call of R rows before them, R values are R rows
of one column (R > 1), else one row; a single feature name makes N values N rows of one column.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from sys import byteorder
from typing import Any, NamedTuple

from modeltap.capture.cells import MAX_INT64, MIN_INT64, PLAIN, Refused, read_cell, read_column
from modeltap.capture.fields import (
    MAX_COLUMNS,
    cells_of,
    fields_of,
    is_column,
    is_record,
    is_series,
    labels_of,
    plain_dict,
)
from modeltap.capture.tables import NOTHING, Block, Carried, Cells, Table
from modeltap.core.correlation import CORRELATION_COLUMNS, is_correlations
from modeltap.core.schema import FLOAT64, INT64

_CARRIED = len(CORRELATION_COLUMNS)
_PLACES = tuple(
    CORRELATION_COLUMNS.index(f"$aml_{name}") for name in ("dc_correlation_id", "dc_scoring_timestamp", "request_id")
)
_ROW_TYPES: dict[tuple[type, ...], tuple[str, ...] | None] = {}
"""Types of rows seen before; None where a cell needs a closer look. At most 16 MB."""
_MAX_ROW_TYPES = 2048
_MAX_ROW_WIDTH = 512


class Shape(NamedTuple):
    """What the collector knows about the shape of the value to come.

    Attributes:
        expected_rows: rows of the inputs call that it belongs to, if known.
        one_name: there is exactly one feature name.
        known: columns that earlier dicts had.
        in_request: the call stands in a request scope, or is switched off: no time for a Spark job.
    """

    expected_rows: int | None = None
    one_name: bool = False
    known: Mapping[object, None] = {}
    in_request: bool = False

    def rows_of_flat(self, length: int) -> int:
        """Into how many rows a flat value of some length falls."""
        if self.expected_rows == 1:
            return 1
        if self.expected_rows == length or self.one_name:
            return length
        return 1


def read_row(values: Sequence[Any], names: tuple[object, ...] | None = None) -> Table:
    """One row."""
    if len(values) > MAX_COLUMNS:
        raise Refused("too_many_columns")
    if len(values) > _CARRIED and type(values[-1]) is str and is_correlations(values[-_CARRIED:]):
        carried = carried_of([values[-_CARRIED:]])
        table = read_row(values[:-_CARRIED], names)
        table.carried = carried
        return table
    kinds = tuple(map(type, values))
    types = _ROW_TYPES.get(kinds, ())
    if types == ():
        types = _learn(kinds)
    if types is None or (INT64 in types and not _fit(values)):
        cells = [read_cell(value) for value in values]
        return Cells(1, tuple(kind for kind, _ in cells), [value for _, value in cells], names)
    if types and types.count(FLOAT64) == len(types):
        block = Block(1, len(values), FLOAT64, little_endian(array("d", values)))
        block.names = names
        return block
    return Cells(1, types, list(values), names)


def _learn(kinds: tuple[type, ...]) -> tuple[str, ...] | None:
    types = tuple(PLAIN[kind] for kind in kinds) if all(kind in PLAIN for kind in kinds) else None
    if len(kinds) <= _MAX_ROW_WIDTH:
        if len(_ROW_TYPES) >= _MAX_ROW_TYPES:
            _ROW_TYPES.clear()
        _ROW_TYPES[kinds] = types
    return types


def _fit(values: Iterable[Any]) -> bool:
    """Whether every int fits 64 bits."""
    return all(type(value) is not int or MIN_INT64 <= value <= MAX_INT64 for value in values)


def read_list(values: Sequence[Any], shape: Shape) -> Table:
    """A list or tuple: rows, records, or flat values."""
    if type(values) is not list and type(values) is not tuple:
        values = cells_of(values)
    if not values:
        return NOTHING
    category = _category(values[0])
    if category == "scalar":
        return _read_flat(values, shape)
    if any(_category(value) != category for value in values):
        raise Refused("mixed_rows")
    if category == "record":
        return read_records([_fields_of(value) for value in values], shape)
    return read_rows([cells_of(value) for value in values])


def read_record(value: Any, shape: Shape) -> Table:
    """A named tuple, dataclass or pydantic model: one row."""
    return read_records([_fields_of(value)], shape)


def _fields_of(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return plain_dict(value)
    labels = labels_of(value)
    found = fields_of(value) if labels is None else dict(zip(labels, cells_of(value), strict=True))
    if found is None:
        raise Refused("unsupported_type")
    return plain_dict(found)


def _category(value: Any) -> str:
    kind = type(value)
    if kind in PLAIN:
        return "scalar"
    if kind is list or kind is tuple:
        return "row"
    if isinstance(value, Mapping) or is_record(value):
        return "record"
    if isinstance(value, list | tuple):
        return "row"
    if getattr(value, "ndim", 0) == 1 or is_series(value):
        return "record" if labels_of(value) else "row"
    return "scalar"


def _read_flat(values: Sequence[Any], shape: Shape) -> Table:
    if any(_category(value) != "scalar" for value in values):
        raise Refused("mixed_rows")
    carried = None
    if len(values) > _CARRIED and type(values[-1]) is str and is_correlations(values[-_CARRIED:]):
        return read_row(values)
    rows = shape.rows_of_flat(len(values))
    if rows == 1:
        return read_row(values)
    kind, cells = read_column(values)
    return Cells(rows, (kind,), cells, None, carried)


def read_rows(rows: list[list[Any]], names: tuple[object, ...] | None = None) -> Table:
    """Rows of equal length."""
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise Refused("ragged_rows")
    if len(rows) == 1:
        return read_row(rows[0], names)
    if width > MAX_COLUMNS:
        raise Refused("too_many_columns")
    carried = None
    if width > _CARRIED and all(is_correlations(row[-_CARRIED:]) for row in rows):
        carried = carried_of([row[-_CARRIED:] for row in rows])
        rows = [row[:-_CARRIED] for row in rows]
        width -= _CARRIED
    if width and set(map(type, chain.from_iterable(rows))) == {float}:
        data = little_endian(array("d", chain.from_iterable(rows)))
        block = Block(len(rows), width, FLOAT64, data)
        block.names, block.carried = names, carried
        return block
    return read_columns(list(zip(*rows, strict=True)), len(rows), names, carried)


def read_columns(
    columns: Sequence[Sequence[Any]],
    rows: int,
    names: tuple[object, ...] | None,
    carried: Carried | None = None,
) -> Table:
    """Columns of Python values."""
    if len(columns) > MAX_COLUMNS:
        raise Refused("too_many_columns")
    types, cells = [], []
    for column in columns:
        kind, wire = read_column(column)
        types.append(kind)
        cells += wire
    return Cells(rows, tuple(types), cells, names, carried)


def read_dict(values: Mapping[Any, Any], shape: Shape) -> Table:
    """A dict of equal-length columns, or of scalars: one row."""
    lengths = [len(value) if is_column(value) else None for value in values.values()]
    if not lengths or None in lengths:
        return read_records([values], shape)
    if len(set(lengths)) != 1:
        raise Refused("ragged_rows")
    columns = {key: cells_of(value) for key, value in values.items()}
    carried = None
    if CORRELATION_COLUMNS[0] in columns and all(name in columns for name in CORRELATION_COLUMNS):
        carried = carried_of(list(zip(*(columns.pop(name) for name in CORRELATION_COLUMNS), strict=True)))
    return read_columns(list(columns.values()), int(lengths[0] or 0), tuple(columns), carried)


def read_records(records: Sequence[Mapping[Any, Any]], shape: Shape) -> Table:
    """Dicts of scalars, one a row, padded to the known columns; a new key makes a new column."""
    first = records[0]
    carried = None
    if CORRELATION_COLUMNS[0] in first and all(name in record for record in records for name in CORRELATION_COLUMNS):
        carried = carried_of([[record[name] for name in CORRELATION_COLUMNS] for record in records])
        records = [{k: v for k, v in record.items() if k not in CORRELATION_COLUMNS} for record in records]
        first = records[0]
    names: dict[Any, None] = dict.fromkeys(shape.known) if shape.known else {}
    for record in records:
        if record.keys() != names.keys():
            names.update(dict.fromkeys(record))
    if len(names) > MAX_COLUMNS:  # too many to pad to: a row of its own keys is still a row
        names = {key: None for record in records for key in record}
    keys = tuple(names)
    if len(records) == 1:
        values = list(first.values()) if tuple(first) == keys else [first.get(key) for key in keys]
        table = read_row(values, keys)
    else:
        table = read_columns([[record.get(key) for record in records] for key in keys], len(records), keys)
    table.carried = carried if carried is not None else table.carried
    return table


def read_scalar(value: Any, shape: Shape) -> Table:
    """One row of one column."""
    if value is None:
        raise Refused("no_data")
    kind, wire = read_cell(value)
    return Cells(1, (kind,), [wire])


def carried_of(rows: Sequence[Sequence[Any]]) -> Carried:
    """The values of the eight correlation columns that modeltap uses again, row by row."""
    identity, timestamp, request = _PLACES
    return Carried(
        [str(row[identity]) for row in rows],
        [str(row[timestamp]) for row in rows],
        [str(row[request]) for row in rows],
    )


def little_endian(values: array[Any]) -> bytes:
    """The values' bytes, least significant first."""
    if byteorder == "big":
        values.byteswap()
    return values.tobytes()
