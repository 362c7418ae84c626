"""ASGI middleware: one request scope per HTTP request, ids in and out.

Promises
- The scope covers everything that the app does for the request: sync endpoints in a thread pool,
  streamed bodies, background tasks. It ends when the app's coroutine ends, however it ends.
- An exception of the app passes through unchanged. Websockets pass through untouched.
- When the app has shut down, what waits is shipped within ``MODELTAP_EXIT_FLUSH_SECONDS``: uvicorn ends
  its process by a signal, after which no exit handler runs.
- The answer names the request: ``x-request-id`` is the host's own id, or modeltap's where the host
  has none; an app that sets the header itself keeps its value.
- Added twice, the inner one does nothing: one request never becomes two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from modeltap import runtime
from modeltap.capture.control import flush
from modeltap.capture.scope import request
from modeltap.telemetry.ids import MARK, NAMES, REQUEST_ID, first_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = REQUEST_ID.encode("ascii")


class Middleware:
    """Puts each HTTP request of an ASGI app (FastAPI, Starlette ...) into a request scope.

    Args:
        app: the ASGI 3 application.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI asks."""
        if scope["type"] == "lifespan":
            send = shipping(send)
        if scope["type"] != "http" or MARK in scope:
            await self.app(scope, receive, send)
            return
        host_request_id = host_id(scope["headers"])
        with request(host_request_id=host_request_id) as opened:
            identity = host_request_id or opened.request_id
            scope[MARK] = identity
            try:
                await self.app(scope, receive, naming(send, identity))
            finally:
                scope.pop(MARK, None)


def host_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The host's own id of a request, made safe; empty when it has none."""
    values: dict[str, str] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return first_id(values.get(name, "") for name in NAMES)


def naming(send: Send, identity: str) -> Send:
    """Wrap ``send`` so that the start of the response carries ``x-request-id`` if the app set none."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name.lower() == _HEADER for name, _ in headers):
                message = {**message, "headers": [*headers, (_HEADER, identity.encode("ascii"))]}
        await send(message)

    return send_named


def shipping(send: Send) -> Send:
    """Wrap ``send`` so that waiting rows are shipped before the server hears that the app has shut down."""

    async def send_last(message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            await asyncio.to_thread(ship)
        await send(message)

    return send_last


def ship() -> None:
    """Ship what this process has accepted, for as long as the exit flush allows; collecting may go on."""
    found = runtime.existing()
    if found is not None and found.settings.exit_flush_seconds > 0:
        flush(found.settings.exit_flush_seconds)
