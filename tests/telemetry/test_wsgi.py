from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from modeltap.capture.scope import current_request
from modeltap.telemetry.ids import MARK
from modeltap.telemetry.wsgi import WSGIMiddleware


def start(app: Any, **variables: str) -> tuple[Iterable[bytes], dict[str, str]]:
    """The response iterable of an app and its headers, as a server gets them."""
    environ: dict[str, Any] = dict(variables)
    setup_testing_defaults(environ)
    got: dict[str, str] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        got.update({name.lower(): value for name, value in headers})
        return lambda data: None

    return app(environ, start_response), got


def answering(seen: list[Any], headers: tuple[tuple[str, str], ...] = (), body: Any = (b"ok",)) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        seen.append((current_request(), environ.get(MARK)))
        start_response("200 OK", list(headers))
        return body

    return app


def seen_id() -> str:
    found = current_request()
    return "" if found is None else found.request_id


def test_each_request_has_a_scope_of_its_own_and_none_is_left_behind():
    seen: list[Any] = []
    app = WSGIMiddleware(answering(seen))
    start(app)
    start(app)
    assert seen[0][0].request_id != seen[1][0].request_id
    assert current_request() is None


@pytest.mark.parametrize("variable", ["HTTP_X_REQUEST_ID", "HTTP_X_MS_CLIENT_REQUEST_ID", "REQUEST_ID"])
def test_the_hosts_id_is_kept_and_goes_out_again(variable: str):
    seen: list[Any] = []
    _, headers = start(WSGIMiddleware(answering(seen)), **{variable: "abc-1"})
    assert seen[0][0].host_request_id == headers["x-request-id"] == "abc-1"


def test_without_a_host_id_the_answer_carries_the_id_that_modeltap_gave():
    seen: list[Any] = []
    _, headers = start(WSGIMiddleware(answering(seen)))
    assert headers["x-request-id"] == seen[0][0].request_id == seen[0][1]


def test_an_app_that_names_its_answer_keeps_its_name():
    _, headers = start(WSGIMiddleware(answering([], (("X-Request-ID", "own"),))), HTTP_X_REQUEST_ID="abc")
    assert headers == {"x-request-id": "own"}


def test_a_hostile_id_is_made_safe():
    _, headers = start(WSGIMiddleware(answering([])), HTTP_X_REQUEST_ID="a\r\nset-cookie: x" + "y" * 5000)
    assert headers["x-request-id"].startswith("aset-cookie: xy")
    assert len(headers["x-request-id"]) <= 256


def test_a_list_is_handed_on_as_it_is_so_that_servers_can_count_it():
    body = [b"ok"]
    answer, _ = start(WSGIMiddleware(answering([], body=body)))
    assert answer is body


def test_a_generator_runs_in_the_scope_until_it_is_closed():
    seen: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            seen.append(seen_id())
            yield b"one"
            seen.append(seen_id())
            yield b"two"
        finally:
            seen.append(seen_id())

    body, _ = start(WSGIMiddleware(app))
    steps = iter(body)
    assert next(steps) == b"one"
    assert current_request() is None
    body.close()  # type: ignore[attr-defined]
    assert len(seen) == 2
    assert set(seen) == {seen[0]}
    assert seen[0] != ""


def test_requests_that_take_turns_in_one_thread_keep_their_scopes():
    seen: dict[str, set[str]] = {"a": set(), "b": set()}

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for _ in range(3):
            seen[environ["PATH_INFO"]].add(seen_id())
            yield b"."

    bodies = [start(WSGIMiddleware(app), PATH_INFO=name)[0] for name in seen]
    for chunks in zip(*bodies, strict=True):
        assert chunks == (b".", b".")
    for body in bodies:
        body.close()  # type: ignore[attr-defined]
    assert len(seen["a"]) == len(seen["b"]) == 1
    assert seen["a"] != seen["b"]


def test_a_response_that_another_thread_sends_stays_in_its_scope():
    seen: list[str] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for _ in range(2):
            seen.append(seen_id())
            yield b"."

    body, _ = start(WSGIMiddleware(app))
    steps = iter(body)
    next(steps)
    thread = threading.Thread(target=lambda: (next(steps), body.close()))  # type: ignore[attr-defined]
    thread.start()
    thread.join()
    assert len(seen) == 2
    assert seen[0] == seen[1] != ""


class _Closing:
    """A response that notes where it was closed."""

    def __init__(self) -> None:
        self.closed_in: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"ok"])

    def close(self) -> None:
        self.closed_in.append(seen_id())


def test_close_reaches_the_app_once_and_in_its_scope():
    closing = _Closing()
    body, headers = start(WSGIMiddleware(answering([], body=closing)))
    assert list(body) == [b"ok"]
    body.close()  # type: ignore[attr-defined]
    body.close()  # type: ignore[attr-defined]
    assert closing.closed_in == [headers["x-request-id"]]


def test_a_file_is_sent_and_closed():
    file = io.BytesIO(b"x" * 20_000)
    body, _ = start(WSGIMiddleware(answering([], body=FileWrapper(file))))
    assert b"".join(body) == b"x" * 20_000
    body.close()  # type: ignore[attr-defined]
    assert file.closed


def test_an_exception_of_the_app_goes_on_and_the_scope_ends():
    def failing(environ: Any, start_response: Any) -> Any:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        start(WSGIMiddleware(failing))
    assert current_request() is None


def test_an_exception_while_streaming_goes_on():
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"one"
        raise ValueError("half way")

    body, _ = start(WSGIMiddleware(app))
    steps = iter(body)
    next(steps)
    with pytest.raises(ValueError, match="half way"):
        next(steps)
    body.close()  # type: ignore[attr-defined]


def test_a_second_middleware_inside_changes_nothing():
    seen: list[Any] = []
    _, headers = start(WSGIMiddleware(WSGIMiddleware(answering(seen))))
    assert headers["x-request-id"] == seen[0][0].request_id
