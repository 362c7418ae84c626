"""Whose rows a frame holds: request, user's ids, places in the request, and the UTC day.

The day is that of ``collect()``; rows that carry correlation values stand on the day of the inputs
that they belong to, under those inputs' request id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from modeltap.capture.cells import Refused
from modeltap.capture.fields import cells_of
from modeltap.capture.pairing import Request, bounded_id
from modeltap.capture.tables import Table
from modeltap.core.correlation import correlation_uuid, is_uuid, read_correlation_id, with_user_id
from modeltap.core.instants import MICROSECONDS_PER_DAY, parse_instant
from modeltap.spool.frame import FIXED, IDS_PER_ROW, NO_ROW, RowIds

MAX_ID_BYTES = 65_535
_UUID_CHARACTERS = 36
_HEAD_CHARACTERS = 24


class Identity(NamedTuple):
    """The ids of a run of rows."""

    request_id: str
    correlation_id: str
    host_request_id: str
    first_row: int | None
    day: int
    row_ids: RowIds | None = None
    unpaired_rows: int = 0

    def body(self, sequence: int, microseconds: int, offset: int, rows: int, payload: bytes) -> bytes:
        """The body of a frame, without its descriptor, for ``rows`` rows from ``offset`` on."""
        request = self.request_id.encode()
        user = encoded_id(self.correlation_id)
        host = self.host_request_id.encode()
        ids = _rows_of(self.row_ids, offset, rows).encoded() if self.row_ids is not None else b""
        fixed = FIXED.pack(
            sequence,
            microseconds,
            self.day,
            rows,
            NO_ROW if self.first_row is None else self.first_row + offset,
            100.0,
            IDS_PER_ROW if ids else 0,
            len(request),
            len(user),
            len(host),
        )
        return b"".join((fixed, request, user, host, ids, payload))

    def ids_bytes(self, start: int, stop: int) -> int:
        """How long the ids of the rows [start, stop) are in a frame."""
        return 0 if self.row_ids is None else len(_rows_of(self.row_ids, start, stop - start).encoded())


def encoded_id(text: str) -> bytes:
    """A user's id as it stands in a frame.

    Raises:
        Refused: it is longer than 65,535 bytes.
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) > MAX_ID_BYTES:
        raise Refused("correlation_id_too_long")
    return encoded


def identities(
    table: Table, request: Request, first_row: int | None, microseconds: int, user_id: str | list[str]
) -> Iterable[tuple[Table, Identity]]:
    """The runs of rows of a call, each with its identity."""
    day = microseconds // MICROSECONDS_PER_DAY
    if table.carried is not None:
        return _carried_runs(table, request, first_row, day)
    unpaired = table.rows if first_row is None else 0
    user, row_ids = (user_id, None) if type(user_id) is str else ("", RowIds(correlation_id=list(user_id)))
    return ((table, Identity(request.request_id, user, request.host_request_id, first_row, day, row_ids, unpaired)),)


def user_ids_of(given: object, rows: int) -> str | list[str]:
    """The user's own ids: one text for all rows, or a list of one a row.

    Raises:
        Refused: N ids for another number of rows.
    """
    if given is None or isinstance(given, str | bytes) or not hasattr(given, "__len__"):
        return bounded_id("" if given is None else given)
    ids = [bounded_id("" if value is None else value) for value in cells_of(given)]
    if len(ids) == 1:
        return ids[0]
    if len(ids) != rows:
        raise Refused("correlation_ids_mismatch")
    return ids


def correlation_ids(user_ids: str | list[str], request: Request, first_row: int | None, rows: int) -> str | list[str]:
    """The text of ``$aml_dc_correlation_id``; with N ids of the user's one for each row, which names it."""
    if type(user_ids) is str:
        text = user_ids if user_ids.isascii() else user_ids.encode("utf-8", "replace").decode("utf-8")
        return with_user_id(text, request.correlation_uuid(first_row, rows))
    places = [None if first_row is None else first_row + place for place in range(rows)]
    return [with_user_id(one, request.correlation_uuid(place, 1)) for one, place in zip(user_ids, places, strict=True)]


class _Read(NamedTuple):
    """What the correlation values of one row say."""

    request_id: str
    user_id: str
    first_row: int | None
    rows: int
    is_ours: bool


def _carried_runs(
    table: Table, request: Request, first_row: int | None, today: int
) -> Iterator[tuple[Table, Identity]]:
    """Runs of rows of one day, under the ids that they carry.

    Ids that modeltap did not make name nothing: such rows belong to the call's own request, and are
    placed as if they carried nothing when that holds for all of them.
    """
    carried = table.carried
    if carried is None:
        return
    days = [_day(text, today) for text in carried.timestamps]
    read = [_read(*ids, request) for ids in zip(carried.correlation_ids, carried.request_ids, strict=True)]
    rows = _places(read)
    if first_row is not None and not any(row.is_ours for row in read):
        rows = list(range(first_row, first_row + table.rows))
    for day, places in groupby(range(table.rows), key=days.__getitem__):
        run = list(places)
        start, stop = run[0], run[-1] + 1
        yield table.part(start, stop), _identity(read[start:stop], rows[start:stop], request, day)


def _identity(read: Sequence[_Read], rows: list[int | None], request: Request, day: int) -> Identity:
    """The ids of a run; those that are equal for all its rows are said once."""
    request_ids, user_ids = [row.request_id for row in read], [row.user_id for row in read]
    one_request, one_user = len(set(request_ids)) == 1, len(set(user_ids)) == 1
    first = rows[0]
    in_order = first is not None and rows == list(range(first, first + len(rows)))
    ids = RowIds(None if one_request else request_ids, None if one_user else user_ids, None if in_order else rows)
    return Identity(
        request_ids[0] if one_request else request.request_id,
        user_ids[0] if one_user else "",
        request.host_request_id,
        first if in_order else None,
        day,
        ids if any(ids) else None,
        rows.count(None),
    )


def _read(correlation_id: str, request_id: str, request: Request) -> _Read:
    is_ours = is_uuid(request_id) and _belongs(correlation_id, request_id)
    user_id, first_row, rows = read_correlation_id(correlation_id, request_id)
    return _Read(request_id if is_ours else request.request_id, bounded_id(user_id), first_row, rows, is_ours)


def _belongs(correlation_id: str, request_id: str) -> bool:
    """Whether modeltap made a correlation id, and for this request: all but the last group tell."""
    head = correlation_uuid(request_id, 0, 1)[:_HEAD_CHARACTERS]
    return correlation_id[-_UUID_CHARACTERS:].startswith(head)


def _places(read: Sequence[_Read]) -> list[int | None]:
    """``$Row`` of each row: named by its own id, or counted through a whole run that an id covers."""
    places: list[int | None] = []
    for identity, group in groupby(read):
        length = sum(1 for _ in group)
        if identity.first_row is None or identity.rows != length:
            places += [None] * length
        else:
            places += range(identity.first_row, identity.first_row + length)
    return places


def _day(text: str, today: int) -> int:
    try:
        return parse_instant(text) // MICROSECONDS_PER_DAY
    except (ValueError, OverflowError):
        return today


def _rows_of(ids: RowIds, offset: int, rows: int) -> RowIds:
    request_ids, correlation_ids, places = ids
    stop = offset + rows
    return RowIds(
        None if request_ids is None else request_ids[offset:stop],
        None if correlation_ids is None else correlation_ids[offset:stop],
        None if places is None else places[offset:stop],
    )
