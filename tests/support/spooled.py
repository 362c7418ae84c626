"""What a scoring process has collected, read back from its spool: frames in the order of their calls, as rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modeltap import runtime
from modeltap.core.key import DATA_TREE
from modeltap.spool.frame import NO_ROW, Frame, decode_columns, decode_frame
from modeltap.spool.segment import decode_header, scan


class Row(NamedTuple):
    """One collected row. ``row`` is its ``$Row``, None when it pairs with nothing."""

    model: str
    designation: str
    request_id: str
    row: int | None
    correlation_id: str
    host_request_id: str
    day: int
    cells: dict[str, Any]
    types: dict[str, str]

    @property
    def data(self) -> tuple[Any, ...]:
        """Its cells, in order."""
        return tuple(self.cells.values())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of its columns."""
        return tuple(self.types.values())

    @property
    def pair(self) -> tuple[str, int | None]:
        """What joins rows of one request."""
        return self.request_id, self.row


class Spooled:
    """A spool whose process ships nothing, so that everything it collected is still there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def frames(self, designation: str | None = None) -> list[Frame]:
        """The frames of the data tree; a torn or damaged stretch is an error of the test."""
        write_what_waits()
        found: list[Frame] = []
        for path in self.root.glob("*/segments/*.seg"):
            data = path.read_bytes()
            header = decode_header(data)
            if header is None:
                continue
            scanned = scan(data[header.length :], header.magic, header.length)
            assert not scanned.damaged
            assert scanned.position == len(data), f"{path.name} has a torn tail"
            found += [decode_frame(frame.body) for frame in scanned.found]
        found.sort(key=lambda frame: frame.sequence)  # what waited in memory stands behind in the file
        keys = [(frame, frame.descriptor.key) for frame in found]
        return [frame for frame, key in keys if key.tree == DATA_TREE and designation in (None, key.designation)]

    def rows(self, designation: str | None = None) -> list[Row]:
        """All rows, or those of one designation, in the order in which they were collected."""
        return [row for frame in self.frames(designation) for row in rows_of(frame)]

    def values(self, designation: str | None = None) -> list[tuple[Any, ...]]:
        """The cells of each row, without names and ids."""
        return [row.data for row in self.rows(designation)]

    def pairs(self, left: str = "inputs", right: str = "predictions") -> list[tuple[Row, Row]]:
        """The rows of two designations that (request id, row) joins."""
        places = {row.pair: row for row in self.rows(left) if row.row is not None}
        assert len(places) == sum(row.row is not None for row in self.rows(left)), "two rows have one place"
        return [(places[row.pair], row) for row in self.rows(right) if row.pair in places]


Start = Callable[..., Spooled]
"""``start(**variables)``: modeltap anew, with these variables beside the usual ones."""
Taken = Callable[..., list[Row]]
"""``taken(value, **options)``: the rows that one value becomes."""
Refusal = Callable[..., dict[str, int]]
"""``refusal(value, *user_ids, **options)``: the rows rejected by reason."""


def write_what_waits() -> None:
    """On a busy machine a slow write may have opened the writer's breaker: bring its ring to the disk."""
    running = runtime.existing()
    writer = running.writer if running is not None else None
    deadline = time.monotonic() + 20
    while writer is not None and writer.volatile_rows:
        assert time.monotonic() < deadline, writer.last_error
        writer.recover()


def rows_of(frame: Frame) -> list[Row]:
    """The rows of one frame."""
    columns = decode_columns(frame)
    names, types = frame.descriptor.schema.names, dict(frame.descriptor.schema.columns)
    ids = frame.row_ids
    return [
        Row(
            frame.descriptor.key.model,
            frame.descriptor.key.designation,
            ids.request_id[place] if ids and ids.request_id else frame.request_id,
            _place(frame, place),
            ids.correlation_id[place] if ids and ids.correlation_id else frame.correlation_id,
            frame.host_request_id,
            frame.day,
            {name: column[place] for name, column in zip(names, columns, strict=True)},
            types,
        )
        for place in range(frame.rows)
    ]


def _place(frame: Frame, place: int) -> int | None:
    if frame.row_ids and frame.row_ids.row:
        return frame.row_ids.row[place]
    return None if frame.first_row == NO_ROW else frame.first_row + place
