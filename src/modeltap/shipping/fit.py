"""The fit of a frame into a data file: which of its columns go where, and whether its cells are what they say.

Promises: a frame that does not fit is refused whole with ``FrameError``, never written in part or with
another value; both encoders refuse the same frames, because both ask here.

A frame fits when its columns have the file's names (in any order) and each has the file's type, or has no
value yet (``null``), or is int64 where the file has float64 and each integer is a float64 exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from modeltap.core.schema import BOOL, FLOAT64, INT64, NULL, Schema
from modeltap.errors import FrameError
from modeltap.spool.frame import NO_ROW, Frame

_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1
_NULL_TYPE = type(None)
_PYTHON_TYPES: dict[str, set[type]] = {BOOL: {bool}, INT64: {int}, FLOAT64: {float, int}, NULL: set()}
_TEXT: set[type] = {str}
"""What carries every other type: decimal, string, timestamp, binary, json."""


class Ids(NamedTuple):
    """The leading columns that a frame may give row by row; an empty id and None are both null."""

    request_id: list[str | None]
    correlation_id: list[str | None]
    row: list[int | None]


def refused(reason: object) -> FrameError:
    """The error for a frame that cannot be written."""
    return FrameError(f"writing a frame into a data file: {reason}; the frame is set aside")


def positions(file: Schema, frame: Schema) -> list[int]:
    """Where each column of the file stands in the frame.

    Raises:
        FrameError: other names, or a type that the file's column cannot hold.
    """
    places = {name: place for place, name in enumerate(frame.names)}
    if len(places) != len(frame.columns) or places.keys() != set(file.names):
        raise refused("its columns are not those of the file")
    for name, kind in file.columns:
        given = frame.types[places[name]]
        if given not in (kind, NULL) and (given, kind) != (INT64, FLOAT64):
            raise refused(f"column {name!r} is {given}, the file has {kind}")
    return [places[name] for name in file.names]


def fitted(given: str, kind: str, cells: Sequence[Any]) -> Sequence[Any]:
    """The cells of one column, checked, as values of the file's type.

    Args:
        given: the column's type in the frame.
        kind: the column's type in the file.
        cells: wire cells (text, numbers, bool, None).

    Returns:
        As many cells: text, bool, int within 64 bits, float, or None.

    Raises:
        FrameError: a cell is not what its type says.
    """
    types = set(map(type, cells)) - {_NULL_TYPE}
    if not types <= _PYTHON_TYPES.get(given, _TEXT):
        raise refused(f"a {given} column holds {' and '.join(sorted(kind.__name__ for kind in types))}")
    if int in types and kind == FLOAT64:
        return _widened(cells)
    if int in types and not all(cell is None or _MIN_INT64 <= cell <= _MAX_INT64 for cell in cells):
        raise refused("an int64 column holds an integer of more than 64 bits")
    return cells


def _widened(cells: Sequence[Any]) -> list[float | None]:
    try:
        floats = [None if cell is None else float(cell) for cell in cells]
    except OverflowError as error:
        raise refused(error) from error
    if any(a != b for a, b in zip(floats, cells, strict=True) if type(b) is int):
        raise refused("a float64 column holds an integer that is no float64")
    return floats


def row_ids(frame: Frame) -> Ids:
    """The ids of a frame's rows: its own, or those that it gives row by row.

    Raises:
        FrameError: ids row by row that are not one text (or row number) or None for each row.
    """
    given = frame.row_ids
    request = correlation = rows = None
    if given is not None:
        request, correlation, rows = given
    return Ids(
        _texts(frame, frame.request_id) if request is None else _given(frame, request, str),
        _texts(frame, frame.correlation_id) if correlation is None else _given(frame, correlation, str),
        _numbers(frame) if rows is None else _given(frame, rows, int),
    )


def _texts(frame: Frame, text: str) -> list[str | None]:
    return [text or None] * frame.rows


def _numbers(frame: Frame) -> list[int | None]:
    if frame.first_row == NO_ROW:
        return [None] * frame.rows
    return list(range(frame.first_row, frame.first_row + frame.rows))


def _given(frame: Frame, ids: Any, kind: type) -> list[Any]:
    if type(ids) is not list or len(ids) != frame.rows or not set(map(type, ids)) <= {kind, _NULL_TYPE}:
        raise refused(f"its ids row by row are not {frame.rows} of {kind.__name__}")
    if kind is int:
        if not all(number is None or 0 <= number < NO_ROW for number in ids):
            raise refused("a row number is not within 0 to 2^32 - 2")
        return ids
    return [text or None for text in ids]
