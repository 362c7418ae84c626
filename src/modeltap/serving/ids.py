"""The original server's own headers: the client's id of a request, in and out.

=============================  ======================================================
header of the answer           value
=============================  ======================================================
``x-request-id``               the request's, else modeltap's own id (set further out)
``x-ms-client-request-id``     the request's, else its ``x-ms-request-id``
``x-ms-request-id``            the request's, else its client id, else ``x-request-id``
=============================  ======================================================

An id of more than 100 characters is answered with 431, as on the original.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modeltap.serving.answers import message
from modeltap.telemetry.ids import CLIENT_REQUEST_ID, MARK, REQUEST_ID, safe_id

LEGACY_REQUEST_ID = "x-ms-request-id"
MAX_CHARACTERS = 100


class ClientIds:
    """Adds the client's ids to each answer of an app; stands inside the request scope's middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI asks."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        for name in (REQUEST_ID, CLIENT_REQUEST_ID, LEGACY_REQUEST_ID):
            if len(headers.get(name, "")) > MAX_CHARACTERS:
                refusal = message(431, f"{name} must not have more than {MAX_CHARACTERS} characters")
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, naming(send, answered(headers, scope[MARK])))


def answered(headers: Headers, request_id: str) -> dict[str, str]:
    """The ids that go out for those that came in."""
    legacy, client = safe_id(headers.get(LEGACY_REQUEST_ID, "")), safe_id(headers.get(CLIENT_REQUEST_ID, ""))
    out = {LEGACY_REQUEST_ID: legacy or client or request_id, CLIENT_REQUEST_ID: client or legacy}
    return {name: value for name, value in out.items() if value}


def naming(send: Send, ids: dict[str, str]) -> Send:
    """Wrap ``send`` so that the start of the response carries the ids."""

    async def send_named(event: Message) -> None:
        if event["type"] == "http.response.start":
            headers = MutableHeaders(scope=event)
            for name, value in ids.items():
                headers.setdefault(name, value)
        await send(event)

    return send_named
