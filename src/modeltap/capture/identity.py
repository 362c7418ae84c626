"""Whose rows a frame holds: request, user's ids, places in the request, and the UTC day.

The day is that of ``collect()``; rows that carry correlation values stand on the day of the inputs
that they belong to, under those inputs' request id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from modeltap.capture.cells import Refused
from modeltap.capture.scope import Request, bounded_id
from modeltap.capture.tables import Table
from modeltap.core.correlation import CarriedId, is_uuid, read_correlation_id, with_user_id
from modeltap.core.instants import MICROSECONDS_PER_DAY, parse_instant
from modeltap.spool.frame import FIXED, IDS_PER_ROW, NO_ROW, RowIds

_OUTSIDE_A_REQUEST = "00000000-0000-0000-0000-000000000000"
"""What the original wrote where it knew no request."""
MAX_ID_BYTES = 65_535


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
        user = self.correlation_id.encode("utf-8", "replace")
        host = self.host_request_id.encode()
        if len(user) > MAX_ID_BYTES:
            raise Refused("correlation_id_too_long")
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


def identities(
    table: Table, request: Request, first_row: int | None, microseconds: int, user_id: str | list[str]
) -> Iterable[tuple[Table, Identity]]:
    """The runs of rows of a call, each with its identity."""
    day = microseconds // MICROSECONDS_PER_DAY
    if table.carried is not None:
        return _carried_runs(table, request, day)
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
    ids = [bounded_id("" if value is None else value) for value in given]  # type: ignore[attr-defined]
    if len(ids) == 1:
        return ids[0]
    if len(ids) != rows:
        raise Refused("correlation_ids_mismatch")
    return ids


def with_user_ids(user_ids: str | list[str], uuid: str) -> str | list[str]:
    """The text of ``$aml_dc_correlation_id``, or one for each row."""
    if not user_ids:
        return uuid
    return with_user_id(user_ids, uuid) if type(user_ids) is str else [with_user_id(one, uuid) for one in user_ids]


def _carried_runs(table: Table, request: Request, today: int) -> Iterator[tuple[Table, Identity]]:
    """Runs of rows of one day, under the ids that they carry."""
    carried = table.carried
    if carried is None:
        return
    days = [_day(text, today) for text in carried.timestamps]
    read = [_read(*ids, request) for ids in zip(carried.correlation_ids, carried.request_ids, strict=True)]
    rows = _places(read)
    for day, places in groupby(range(table.rows), key=days.__getitem__):
        run = list(places)
        start, stop = run[0], run[-1] + 1
        row_ids = RowIds(
            [request_id for request_id, _ in read[start:stop]],
            [identity.user_id for _, identity in read[start:stop]],
            rows[start:stop],
        )
        unpaired = rows[start:stop].count(None)
        identity = Identity(request.request_id, "", request.host_request_id, None, day, row_ids, unpaired)
        yield table.part(start, stop), identity


def _read(correlation_id: str, request_id: str, request: Request) -> tuple[str, CarriedId]:
    if not is_uuid(request_id) or request_id == _OUTSIDE_A_REQUEST:
        return request.request_id, read_correlation_id(correlation_id, request_id)
    return request_id, read_correlation_id(correlation_id, request_id)


def _places(read: Sequence[tuple[str, CarriedId]]) -> list[int | None]:
    """``$Row`` of each row: named by its own id, or counted through a whole run that an id covers."""
    places: list[int | None] = []
    for (_, identity), group in groupby(read):
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
