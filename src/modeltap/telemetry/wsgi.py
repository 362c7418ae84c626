"""WSGI middleware: one request scope per request, until the response is closed.

Promises
- The app, every step of its response and its ``close()`` run in one context of their own, so the scope
  holds for generators and file wrappers, in servers that change threads or take turns between
  requests, and nothing of it stays behind in the server's thread, even if ``close()`` is never called.
- ``close()`` of the app's iterable is called once. A list or tuple has no work left: it is handed on
  as it is, and its scope ends at once.
- An exception of the app passes through unchanged. Added twice, the inner one does nothing.
- ``x-request-id`` goes out as with the ASGI middleware.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any

from modeltap.capture.scope import request
from modeltap.telemetry.ids import MARK, NAMES, REQUEST_ID, first_id

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_VARIABLES = ("REQUEST_ID", *(f"HTTP_{name.upper().replace('-', '_')}" for name in NAMES))


class WSGIMiddleware:
    """Puts each request of a WSGI app (Flask ...) into a request scope.

    Args:
        app: the WSGI application, for Flask ``app.wsgi_app``.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request as WSGI asks."""
        if MARK in environ:
            return self.app(environ, start_response)
        host_request_id = host_id(environ)
        scope, context = request(host_request_id=host_request_id), copy_context()
        context.run(scope.__enter__)
        environ[MARK] = identity = host_request_id or scope.request_id
        try:
            body = context.run(self.app, environ, naming(start_response, identity))
        except BaseException:
            context.run(scope.__exit__, *sys.exc_info())
            raise
        if isinstance(body, list | tuple):
            context.run(scope.__exit__, None, None, None)
            return body
        return _Body(body, scope, context)


class _Body:
    """The app's response, stepped and closed in the request's own context."""

    def __init__(self, body: Iterable[bytes], scope: request, context: Context) -> None:
        self._body = body
        self._scope: request | None = scope
        self._context = context
        self._steps: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._steps is None:
            self._steps = self._context.run(iter, self._body)
        return self._context.run(next, self._steps)

    def close(self) -> None:
        """Close the app's response, then end the scope; the second call does nothing."""
        scope, self._scope = self._scope, None
        if scope is None:
            return
        close = getattr(self._body, "close", None)
        try:
            if close is not None:
                self._context.run(close)
        finally:
            self._context.run(scope.__exit__, None, None, None)


def host_id(environ: Environ) -> str:
    """The host's own id of a request, made safe; empty when it has none."""
    return first_id(str(environ.get(variable, "")) for variable in _VARIABLES)


def naming(start_response: StartResponse, identity: str) -> StartResponse:
    """Wrap ``start_response`` so that the response carries ``x-request-id`` if the app set none."""

    def start_named(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
        if not any(name.lower() == REQUEST_ID for name, _ in headers):
            headers = [*headers, (REQUEST_ID, identity)]
        return start_response(status, headers, *rest)

    return start_named
