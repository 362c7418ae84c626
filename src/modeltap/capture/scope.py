"""Request scopes: which calls belong to one request.

A scope is, in this order: the innermost ``with modeltap.request()`` (the middlewares open one); the
Flask request that is being handled; else, model by model, what follows an inputs call on the same
thread or task until the next one (without inputs: until a designation is collected again).

Promises: a task that inherits another task's implicit scope does not use it, a worker thread that
works for a task does; a forked process is in no scope of its parent's.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar, Token
from threading import get_ident
from types import TracebackType
from typing import Any, Self

from modeltap.capture.pairing import Pairing, Request, bounded_id, ids

FLASK_KEY = "modeltap.capture.request"
HOST_ID_HEADERS = ("x-request-id", "x-ms-client-request-id")

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
        self.forget()

    def forget(self) -> None:
        """Know no pairing any more, in any context."""
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


implicit_scopes: dict[tuple[str, ...], ImplicitScope] = {}


def _after_fork_in_child() -> None:
    """A forked worker may live long after the request in which it was started: it is in no scope."""
    global _explicit
    ids.renew()
    _explicit = ContextVar("modeltap_request", default=None)
    for scope in list(implicit_scopes.values()):
        scope.forget()
    _leave_flask_request()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _may_use(owner: object, lane: object) -> bool:
    """Whether a scope begun by ``owner`` counts here: the same one, or a thread that works for a task."""
    return owner == lane or (type(lane) is int and type(owner) is not int)


def _flask_request() -> Request | None:
    """The request of the Flask request that is handled here.

    It is kept in the request's own environment: ``g`` belongs to the application context, which
    outlives its requests wherever somebody pushed one by hand.
    """
    flask: Any = sys.modules["flask"]
    try:
        if not flask.has_request_context():
            return None
        environ = flask.request.environ
        found: Request | bool | None = environ.get(FLASK_KEY)
        if found is None:
            found = environ[FLASK_KEY] = Request(_flask_host_id(flask, environ))
    except Exception:
        return None  # a half-imported or foreign flask: no host request is visible
    return found if isinstance(found, Request) else None


def _leave_flask_request() -> None:
    """The Flask request in which this process was forked is none of its own."""
    flask: Any = sys.modules.get("flask")
    try:
        if flask is not None and flask.has_request_context():
            flask.request.environ[FLASK_KEY] = False
    except Exception:
        return  # as above


def _flask_host_id(flask: Any, environ: dict[str, Any]) -> str:
    given = flask.g.get("request_id") or environ.get("REQUEST_ID")
    for header in HOST_ID_HEADERS:
        given = given or flask.request.headers.get(header)
    return bounded_id(given or "")
