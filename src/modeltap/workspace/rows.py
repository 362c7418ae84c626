"""Rows of data files as text, for a look at them: the first ones, the last ones, joined.

Promises: reads no further than the committed size that the listing told, so never half a row; memory is
bounded by the rows asked for and one row's length, whatever the file's. Cells stay text: a null and an
empty string look alike here (``modeltap read-options`` tells how readers keep them apart).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from modeltap.core.dialect import REQUEST_ID, ROW, TIMESTAMP
from modeltap.stores.base import Info, Store

Row = dict[str, str]

CHUNK_BYTES = 1 << 18
TAIL_BYTES = 1 << 16
"""Read from the end of a file first; doubled until it holds the rows asked for."""
MAX_CELL_BYTES = 1 << 24
"""More than a frame can hold; the csv module's own limit (128 KiB) is less."""
# Rows begin with their timestamp. A quoted cell may hold such a text too: then the cells do not count up to the columns.
_ROW_START = re.compile(rb"\r?\n(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")


class _CommittedBytes(io.RawIOBase):
    """The bytes ``[start, size)`` of a file in a store, as a stream."""

    def __init__(self, store: Store, info: Info, start: int) -> None:
        super().__init__()
        self._store, self._info, self._position = store, info, start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._info.size - self._position)
        data = self._store.read(self._info.path, self._position, wanted) if wanted else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def read_rows(store: Store, info: Info) -> Iterator[Row]:
    """All rows of a file in file order, read as they are asked for."""
    lines = _lines(store, info, 0)
    columns = next(lines, [])
    for cells in lines:
        yield _row(columns, cells)


def first_rows(store: Store, infos: Iterable[Info], count: int) -> list[Row]:
    """The oldest rows of some files: at most ``count``, oldest first."""
    rows = [row for info in infos for row in islice(read_rows(store, info), count)]
    return sorted(rows, key=_timestamp)[:count]


def last_rows(store: Store, infos: Iterable[Info], count: int) -> list[Row]:
    """The newest rows of some files: at most ``count``, oldest first."""
    rows = [row for info in infos for row in _tail(store, info, count)]
    return sorted(rows, key=_timestamp)[-count:] if count else []


def last_timestamp(store: Store, info: Info) -> str:
    """The timestamp of a file's last row, or empty."""
    return max(map(_timestamp, _tail(store, info, 1)), default="")


def join_rows(store: Store, rows: Sequence[Row], infos: Iterable[Info]) -> list[Row | None]:
    """Find the partner of each row in the files of another designation, by ($RequestId, $Row).

    Returns:
        One item for each of ``rows``: its partner, or None where there is none.
    """
    wanted = {_identity(row) for row in rows}
    partners: dict[tuple[str, str], Row] = {}
    for info in infos:
        for row in read_rows(store, info):
            if _identity(row) in wanted:
                partners[_identity(row)] = row
            if len(partners) == len(wanted):
                break
    return [partners.get(_identity(row)) for row in rows]


def _tail(store: Store, info: Info, count: int) -> list[Row]:
    columns = next(_lines(store, info, 0), [])
    length = TAIL_BYTES
    while length < info.size:
        start = info.size - length
        found = _ROW_START.search(store.read(info.path, start, length))
        rows = list(_lines(store, info, start + found.end())) if found else []
        if len(rows) >= count and all(len(cells) == len(columns) for cells in rows):
            return [_row(columns, cells) for cells in rows[-count:]]
        length *= 2
    return list(read_rows(store, info))[-count:]


def _lines(store: Store, info: Info, start: int) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_BYTES))
    stream = io.BufferedReader(_CommittedBytes(store, info, start), CHUNK_BYTES)
    with io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="") as text:
        yield from csv.reader(text)


def _row(columns: Sequence[str], cells: Sequence[str]) -> Row:
    """Other people's files may have rows of another width: surplus cells get a number, missing ones are left out."""
    row = dict(zip(columns, cells, strict=False))
    row.update({f"c{position}": cells[position] for position in range(len(columns), len(cells))})
    return row


def _timestamp(row: Row) -> str:
    return row.get(TIMESTAMP) or row.get("$aml_dc_scoring_timestamp") or ""


def _identity(row: Row) -> tuple[str, str]:
    return row.get(REQUEST_ID) or row.get("$aml_request_id") or "", row.get(ROW, "")
