"""Request scopes: which calls belong to one request, and which rows of them belong together.

A scope is, in this order: the innermost ``with modeltap.request()`` (the middlewares open one); the
Flask request that is being handled; else, model by model, what follows an inputs call on the same
thread or task until the next one (without inputs: until a designation is collected again).

Promises: ``$RequestId`` is made here and never taken from a caller; a row is paired only when that is
certain, else it stays unpaired and is counted: never a wrong join. Within a scope the calls of one
thread or task are paired by their ordinals and equal row counts; across threads or tasks only when
the scope has a single inputs call. A task that inherits another task's implicit scope does not use
it; a worker thread that works for a task does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar, Token
from itertools import count, islice
from threading import get_ident
from types import TracebackType
from typing import Any, Self

from modeltap.core.correlation import MAX_ROW, Writer, correlation_uuid

ModelIdentity = tuple[str, ...]
UNKNOWN_ROWS = -1
MAX_CALLS = 1 << 16
_FIRST_ROW_ONLY = "000000000001"
MAX_ID_CHARACTERS = 4096
HOST_ID_HEADERS = ("x-request-id", "x-ms-client-request-id")


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
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ids.renew)


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

    def next_of(self, designation: str) -> Call | None:
        """The inputs call that the next call of a designation belongs to."""
        ordinal = self.ordinals.get(designation, 0)
        self.ordinals[designation] = ordinal + 1
        place = ordinal - self.forgotten
        return self.inputs[place] if 0 <= place < len(self.inputs) else None


class Pairing:
    """One model's calls within one request."""

    __slots__ = ("_lanes", "_next_rows", "_numbers", "collected", "owner", "request", "single")

    def __init__(self, request: Request, owner: object) -> None:
        self.request = request
        self.owner = owner
        self.single: Call | None = None  # the one inputs call, while there is one
        self.collected: dict[str, int] = {}  # rows that other designations took without an inputs call
        self._lanes: dict[object, _Lane] = {}
        self._next_rows: Iterator[int] | None = None
        self._numbers: dict[str, Iterator[int]] = {}

    @property
    def has_inputs(self) -> bool:
        """Whether an inputs call was made in this request."""
        return self._next_rows is not None

    def add_inputs(self, rows: int, lane: object) -> int:
        """Note an inputs call; gives the ``$Row`` of its first row.

        Rows that other designations took before the first inputs call pair with it only when they
        are as many; else its rows begin behind theirs, so that none meets another by chance.
        """
        numbers, only = self._next_rows, False
        if numbers is None:
            early = self.collected.values()
            numbers = self._next_rows = count(max(early) if early and set(early) != {rows} else 0)
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
            return found.next_of(designation)
        if designation in self.collected:
            return None
        return self.single

    def place(self, designation: str, rows: int, expected: Call | None) -> int | None:
        """The ``$Row`` of the first row of a call that is no inputs call; None when it pairs with nothing."""
        before = self.collected.get(designation, 0)
        self.collected[designation] = before + rows
        if self._next_rows is not None:
            return expected[0] if expected is not None and expected[1] == rows else None
        numbers = self._numbers.get(designation)
        if numbers is None:
            numbers = self._numbers.setdefault(designation, count())
        return _reserve(numbers, rows)


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
        self._pairings: dict[ModelIdentity, Pairing] | None = None

    def correlation_uuid(self, first_row: int | None, rows: int) -> str:
        """The same text as ``modeltap.core.correlation.correlation_uuid``, from parts made once."""
        if rows == 1 and first_row == 0:
            return self.uuid_head + _FIRST_ROW_ONLY
        if first_row is not None and 0 < rows < MAX_ROW and first_row < MAX_ROW:
            return f"{self.uuid_head}{first_row << 24 | rows:012x}"
        return correlation_uuid(self.request_id, -1, 0)

    def pairing(self, model: ModelIdentity) -> Pairing:
        """The pairing of a model in this request."""
        pairings = self._pairings
        if pairings is None:
            pairings = self._pairings = {}
        found = pairings.get(model)
        return found if found is not None else pairings.setdefault(model, Pairing(self, None))


_explicit: ContextVar[Request | None] = ContextVar("modeltap_request", default=None)


class request:  # noqa: N801  used as a verb: with modeltap.request():
    """A request scope: inputs, predictions and failures collected inside share one request id.

    Works in sync and async code, nests (the inner one counts), may be left in another context than
    it was entered in (generators), and never raises.

    Args:
        host_request_id: the host's or caller's own id; kept and searchable, never a join key.
        correlation_id: the user's own id for all rows of the request that bring none.
    """

    def __init__(self, host_request_id: str = "", correlation_id: str = "") -> None:
        self._request = Request(bounded_id(host_request_id), bounded_id(correlation_id))
        self._tokens: list[tuple[Token[Request | None], Request | None]] = []

    @property
    def request_id(self) -> str:
        """The id that modeltap gave this request."""
        return self._request.request_id

    def __enter__(self) -> Self:
        """Enter the scope."""
        before = _explicit.get()
        self._tokens.append((_explicit.set(self._request), before))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the scope; an exception goes on."""
        if not self._tokens:
            return
        token, before = self._tokens.pop()
        try:
            _explicit.reset(token)
        except ValueError:  # left in another context than it was entered in
            if _explicit.get() is self._request:
                _explicit.set(before)


def current_request() -> Request | None:
    """The request of an explicit scope or of the visible host, if any."""
    found = _explicit.get()
    if found is not None:
        return found
    return _flask_request() if "flask" in sys.modules else None


def current_lane() -> object:
    """What runs here: the task if an event loop runs on this thread, else the thread's number."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    if running is not None and running() is not None:
        return asyncio.current_task() or get_ident()  # type: ignore[union-attr]
    return get_ident()


class ImplicitScope:
    """The current pairing of one model where no explicit or host request is visible."""

    def __init__(self) -> None:
        self._pairing: ContextVar[Pairing | None] = ContextVar("modeltap_implicit", default=None)

    def begin(self, lane: object) -> Pairing:
        """Start a new request."""
        pairing = Pairing(Request(), lane)
        self._pairing.set(pairing)
        return pairing

    def current(self, designation: str, lane: object) -> Pairing:
        """The pairing that a call of a designation other than inputs belongs to."""
        pairing = self._pairing.get()
        if pairing is None or not _may_use(pairing.owner, lane):
            return self.begin(lane)
        if not pairing.has_inputs and designation in pairing.collected:
            return self.begin(lane)
        return pairing


def _may_use(owner: object, lane: object) -> bool:
    """Whether a scope begun by ``owner`` counts here: the same one, or a thread that works for a task."""
    return owner == lane or (type(lane) is int and type(owner) is not int)


def _flask_request() -> Request | None:
    flask: Any = sys.modules["flask"]
    try:
        if not flask.has_request_context():
            return None
        state = flask.g._get_current_object()
        found: Request | None = getattr(state, "_modeltap_request", None)
        if found is None:
            found = Request(_flask_host_id(flask, state))
            state._modeltap_request = found
    except Exception:
        return None  # a half-imported or foreign flask: no host request is visible
    return found


def _flask_host_id(flask: Any, state: Any) -> str:
    given = getattr(state, "request_id", None) or flask.request.environ.get("REQUEST_ID")
    for header in HOST_ID_HEADERS:
        given = given or flask.request.headers.get(header)
    return bounded_id(given or "")


def bounded_id(text: object) -> str:
    """An id as text of at most 4,096 characters that UTF-8 can hold; empty when it has no text."""
    try:
        shown = text if type(text) is str else str(text)
        return shown[:MAX_ID_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return ""
