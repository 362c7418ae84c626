from __future__ import annotations

import asyncio
from typing import Any

import pytest

from modeltap.capture.scope import current_request
from modeltap.telemetry.asgi import Middleware
from modeltap.telemetry.ids import MARK


def ask(app: Any, headers: tuple[tuple[bytes, bytes], ...] = (), kind: str = "http") -> list[dict[str, Any]]:
    """What an app sends for one connection."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app({"type": kind, "method": "GET", "path": "/", "headers": list(headers)}, receive, send))
    return sent


def answering(seen: list[Any], headers: tuple[tuple[bytes, bytes], ...] = ()) -> Any:
    """An app that notes the request it stands in, and answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((current_request(), scope.get(MARK)))
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def test_each_request_has_a_scope_of_its_own_and_none_is_left_behind():
    seen: list[Any] = []
    app = Middleware(answering(seen))
    ask(app)
    ask(app)
    first, second = (request.request_id for request, _ in seen)
    assert first != second
    assert current_request() is None


def test_without_a_host_id_the_answer_carries_the_id_that_modeltap_gave():
    seen: list[Any] = []
    sent = ask(Middleware(answering(seen)))
    assert dict(sent[0]["headers"])[b"x-request-id"].decode() == seen[0][0].request_id == seen[0][1]


@pytest.mark.parametrize("name", [b"x-request-id", b"X-Request-Id", b"x-ms-client-request-id"])
def test_the_hosts_id_is_kept_and_goes_out_again(name: bytes):
    seen: list[Any] = []
    sent = ask(Middleware(answering(seen)), ((name, b"abc-1"),))
    assert seen[0][0].host_request_id == "abc-1"
    assert dict(sent[0]["headers"])[b"x-request-id"] == b"abc-1"


def test_x_request_id_wins_over_the_clients_id():
    seen: list[Any] = []
    ask(Middleware(answering(seen)), ((b"x-ms-client-request-id", b"client"), (b"x-request-id", b"host")))
    assert seen[0][0].host_request_id == "host"


def test_an_app_that_names_its_answer_keeps_its_name():
    sent = ask(Middleware(answering([], ((b"X-Request-ID", b"own"),))), ((b"x-request-id", b"abc"),))
    assert sent[0]["headers"] == [(b"X-Request-ID", b"own")]


def test_a_hostile_id_is_cut_and_made_safe():
    seen: list[Any] = []
    sent = ask(Middleware(answering(seen)), ((b"x-request-id", b"\xff\r\nset-cookie: a=b" + b"x" * 5000),))
    out = dict(sent[0]["headers"])[b"x-request-id"]
    assert len(out) <= 256
    assert b"\r" not in out
    assert b"\n" not in out
    assert seen[0][0].host_request_id == out.decode()


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "of the future"])
def test_other_connections_pass_through_untouched(kind: str):
    seen: list[Any] = []
    sent = ask(Middleware(answering(seen)), kind=kind)
    assert seen == [(None, None)]
    assert sent[0]["headers"] == []


def test_an_exception_of_the_app_goes_on_and_the_scope_ends():
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        ask(Middleware(failing))
    assert current_request() is None


def test_a_second_middleware_inside_changes_nothing():
    seen: list[Any] = []
    sent = ask(Middleware(Middleware(answering(seen))))
    assert [value for name, value in sent[0]["headers"] if name == b"x-request-id"] == [seen[0][0].request_id.encode()]
