"""Requests and their ids, and which rows of one request belong together.

Promises: ``$RequestId`` is made here and never taken from a caller; a row is paired only when that is
certain, else it stays unpaired and is counted: never a wrong join. Within a request the calls of one
thread or task are paired by their ordinals and equal row counts; across threads or tasks only when
the request has a single inputs call.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count, islice
from typing import NamedTuple

from modeltap.core.correlation import MAX_ROW, Writer, correlation_uuid

UNKNOWN_ROWS = -1
MAX_CALLS = 1 << 16
MAX_ID_CHARACTERS = 4096
_FIRST_ROW_ONLY = "000000000001"


class _Ids:
    """Makes request ids; new random bytes after a fork."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        writer = Writer.from_bytes(os.urandom(10))
        self.prefix = writer.request_prefix
        self.middle = writer.correlation_middle
        self.next = count(1).__next__


ids = _Ids()


Call = tuple[int, int]
"""The rows of one inputs call: first row, and how many (UNKNOWN_ROWS when it was rejected)."""


class _Lane:
    """The calls of one thread or task within a scope: inputs in order, other designations counted."""

    __slots__ = ("forgotten", "inputs", "ordinals")

    def __init__(self) -> None:
        self.inputs: list[Call] = []
        self.forgotten = 0
        self.ordinals: dict[str, int] = {}

    def forget(self) -> None:
        """Of very many inputs calls let the oldest go, so that memory stays bounded."""
        del self.inputs[: MAX_CALLS // 2]
        self.forgotten += MAX_CALLS // 2

    def next_of(self, designation: str, first: int = 0) -> Call | None:
        """The inputs call that the next call of a designation belongs to; the first one has this ordinal."""
        ordinal = self.ordinals.get(designation, first)
        self.ordinals[designation] = ordinal + 1
        place = ordinal - self.forgotten
        return self.inputs[place] if 0 <= place < len(self.inputs) else None


class Pairing:
    """One model's calls within one request."""

    __slots__ = ("_early", "_lanes", "_next_rows", "_numbers", "collected", "owner", "request", "single")

    def __init__(self, request: Request, owner: object) -> None:
        self.request = request
        self.owner = owner
        self.single: Call | None = None  # the one inputs call, while there is one
        self.collected: dict[str, int] = {}  # rows that other designations took without an inputs call
        self._lanes: dict[object, _Lane] = {}
        self._next_rows: Iterator[int] | None = None
        self._numbers: dict[str, Iterator[int]] = {}
        self._early: dict[str, int] = {}  # calls of other designations before any inputs call

    @property
    def has_inputs(self) -> bool:
        """Whether an inputs call was made in this request."""
        return self._next_rows is not None

    def add_inputs(self, rows: int, lane: object) -> int:
        """Note an inputs call; gives the ``$Row`` of its first row.

        Rows that other designations took before the first inputs call pair with it only when one
        call of each took as many; else its rows begin behind theirs, so that none meets another by chance.
        """
        numbers, only = self._next_rows, False
        if numbers is None:
            early = self.collected.values()
            apart = early and (set(early) != {rows} or max(self._early.values(), default=1) > 1)
            numbers = self._next_rows = count(max(early) if apart else 0)
            only = True
        first_row = next(numbers) if rows == 1 else _reserve(numbers, rows)
        call = (first_row, rows)
        self.single = call if only else None
        found = self._lanes.get(lane)
        if found is None:
            found = self._lanes.setdefault(lane, _Lane())
        found.inputs.append(call)
        if len(found.inputs) > MAX_CALLS:
            found.forget()
        return first_row

    def expected(self, designation: str, lane: object) -> Call | None:
        """The inputs call that the next call of a designation belongs to; None when none is certain."""
        found = self._lanes.get(lane)
        if found is not None:
            return found.next_of(designation, self._early.get(designation, 0))
        if designation in self.collected:
            return None
        return self.single

    def turn(self, lane: object) -> Turn | None:
        """The latest inputs call of a thread or task."""
        found = self._lanes.get(lane)
        return Turn(self, lane, found.forgotten + len(found.inputs) - 1) if found is not None else None

    def turn_to(self, turn: Turn, designation: str) -> None:
        """Let the next call of a designation belong to that inputs call, whatever failed or came between."""
        found = self._lanes.get(turn.lane)
        if found is not None:
            found.ordinals[designation] = turn.ordinal

    def place(self, designation: str, rows: int, expected: Call | None) -> int | None:
        """The ``$Row`` of the first row of a call that is no inputs call; None when it pairs with nothing."""
        self.collected[designation] = self.collected.get(designation, 0) + rows
        if self._next_rows is not None:
            return expected[0] if expected is not None and expected[1] == rows else None
        self._early[designation] = self._early.get(designation, 0) + 1
        numbers = self._numbers.get(designation)
        if numbers is None:
            numbers = self._numbers.setdefault(designation, count())
        return _reserve(numbers, rows)


class Turn(NamedTuple):
    """One inputs call of a thread or task, by its ordinal."""

    pairing: Pairing
    lane: object
    ordinal: int


def _reserve(numbers: Iterator[int], rows: int) -> int:
    """Take the next ``rows`` numbers in one step that no thread can interrupt."""
    taken = list(islice(numbers, max(0, rows)))
    return taken[0] if taken else 0


class Request:
    """One request: its ids, and the pairing of each model in it."""

    __slots__ = ("_pairings", "correlation_id", "host_request_id", "request_id", "uuid_head")

    def __init__(self, host_request_id: str = "", correlation_id: str = "") -> None:
        number = f"{ids.next():012x}"
        self.request_id = ids.prefix + number
        self.uuid_head = number[4:] + ids.middle
        self.host_request_id = host_request_id
        self.correlation_id = correlation_id
        self._pairings: dict[object, Pairing] | None = None

    def correlation_uuid(self, first_row: int | None, rows: int) -> str:
        """The same text as ``modeltap.core.correlation.correlation_uuid``, from parts made once."""
        if rows == 1 and first_row == 0:
            return self.uuid_head + _FIRST_ROW_ONLY
        if first_row is not None and 0 < rows < MAX_ROW and first_row < MAX_ROW:
            return f"{self.uuid_head}{first_row << 24 | rows:012x}"
        return correlation_uuid(self.request_id, -1, 0)

    def pairing(self, model: object) -> Pairing:
        """The pairing of a model in this request; the model by an object that all its collectors share."""
        pairings = self._pairings
        if pairings is None:
            pairings = self._pairings = {}
        found = pairings.get(model)
        return found if found is not None else pairings.setdefault(model, Pairing(self, None))


def bounded_id(text: object) -> str:
    """An id as text of at most 4,096 characters that UTF-8 can hold; empty when it has no text."""
    try:
        shown = text if type(text) is str else str(text)
        return shown[:MAX_ID_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return ""
