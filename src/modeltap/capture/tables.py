"""Tables: what every reader of this room makes of a value, in one of three forms.

``Block`` holds numbers of one type as bytes, ``Cells`` holds wire cells column by column, ``Parts``
holds a mixture of both. Each is a snapshot: nothing in it changes when the caller's value does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from modeltap.capture.cells import Refused, compact
from modeltap.core.schema import BOOL, FLOAT64, INT64
from modeltap.spool.frame import LENGTH, MAX_FRAME_BYTES

FRAME_ROOM_BYTES = MAX_FRAME_BYTES - (96 << 10)
"""Room in a frame for descriptor, payload and ids of rows: the call's own ids take less than the rest."""
VALUE_BYTES = {FLOAT64: 8, INT64: 8, BOOL: 1}
PART_CODES = {FLOAT64: "d", INT64: "q", BOOL: "?"}


class Carried(NamedTuple):
    """The correlation values that a table brought along, row by row."""

    correlation_ids: Sequence[str]
    timestamps: Sequence[str]
    request_ids: Sequence[str]


class Block:
    """Numbers of one type, row by row."""

    names: tuple[object, ...] | None = None
    carried: Carried | None = None

    def __init__(self, rows: int, width: int, layout: str, data: bytes) -> None:
        self.rows = rows
        self.width = width
        self.layout = layout
        self.data = data

    @property
    def types(self) -> tuple[str, ...]:
        """One type for all columns."""
        return (self.layout,) * self.width

    def payload(self) -> bytes:
        """The bytes of a frame's payload."""
        return self.data

    def part(self, start: int, stop: int) -> Block:
        """Rows [start, stop)."""
        row_bytes = self.width * VALUE_BYTES[self.layout]
        found = Block(stop - start, self.width, self.layout, self.data[start * row_bytes : stop * row_bytes])
        found.names, found.carried = self.names, part_of(self.carried, start, stop)
        return found


@dataclass(slots=True)
class Cells:
    """Wire cells, column by column in one list."""

    rows: int
    types: tuple[str, ...]
    cells: Sequence[Any]
    names: tuple[object, ...] | None = None
    carried: Carried | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.types)

    @property
    def layout(self) -> str:
        """The layout's name in a frame."""
        return "cells"

    def payload(self) -> bytes:
        """The bytes of a frame's payload.

        Raises:
            Refused: a text that UTF-8 cannot hold.
        """
        try:
            return compact(self.cells).encode()
        except UnicodeEncodeError as error:
            raise Refused("text_not_unicode") from error

    def part(self, start: int, stop: int) -> Cells:
        """Rows [start, stop)."""
        taken: list[Any] = []
        for column in range(self.width):
            taken += self.cells[column * self.rows + start : column * self.rows + stop]
        return Cells(stop - start, self.types, taken, self.names, part_of(self.carried, start, stop))


@dataclass(slots=True)
class Parts:
    """Columns one by one: bytes where they are numbers, a list of wire cells elsewhere."""

    rows: int
    types: tuple[str, ...]
    parts: list[bytes | list[Any]]
    names: tuple[object, ...] | None = None
    carried: Carried | None = None

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.types)

    @property
    def layout(self) -> str:
        """The layout's name in a frame."""
        return "columns"

    def payload(self) -> bytes:
        """The bytes of a frame's payload.

        Raises:
            Refused: a text that UTF-8 cannot hold.
        """
        pieces = []
        for kind, part in zip(self.types, self.parts, strict=True):
            code = "j" if isinstance(part, list) else PART_CODES[kind]
            try:
                data = compact(part).encode() if isinstance(part, list) else part
            except UnicodeEncodeError as error:
                raise Refused("text_not_unicode") from error
            pieces += [code.encode(), LENGTH.pack(len(data)), data]
        return b"".join(pieces)

    def part(self, start: int, stop: int) -> Parts:
        """Rows [start, stop)."""
        taken: list[bytes | list[Any]] = []
        for kind, part in zip(self.types, self.parts, strict=True):
            size = 1 if isinstance(part, list) else VALUE_BYTES[kind]
            taken.append(part[start * size : stop * size])
        return Parts(stop - start, self.types, taken, self.names, part_of(self.carried, start, stop))


Table = Block | Cells | Parts
Piece = tuple[int, int, bytes]


def _no_ids(start: int, stop: int) -> int:
    """Rows without ids of their own."""
    return 0


NOTHING = Cells(0, (), [])
"""A table without rows."""


def frames_of(
    table: Table, limit_bytes: int, ids_bytes: Callable[[int, int], int] = _no_ids, first: int = 0
) -> list[Piece]:
    """Split a table so that each part fits a frame.

    Args:
        table: N rows.
        limit_bytes: room for a payload and the ids of its rows.
        ids_bytes: how long the ids of the rows [start, stop) are.
        first: what the table's first row counts as.

    Returns:
        First row, number of rows and payload of each part.

    Raises:
        Refused: a single row does not fit.
    """
    payload = table.payload()
    size = len(payload) + ids_bytes(first, first + table.rows)
    if size <= limit_bytes:
        return [(first, table.rows, payload)]
    if table.rows <= 1:
        raise Refused("row_too_large")
    step = max(1, table.rows * limit_bytes * 9 // (size * 10))
    pieces: list[Piece] = []
    for start in range(0, table.rows, step):
        part = table.part(start, min(start + step, table.rows))
        pieces += frames_of(part, limit_bytes, ids_bytes, first + start)
    return pieces


def part_of(carried: Carried | None, start: int, stop: int) -> Carried | None:
    """Rows [start, stop) of carried correlation values."""
    return None if carried is None else Carried(*(values[start:stop] for values in carried))
