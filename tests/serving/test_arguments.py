from __future__ import annotations

import json
from typing import Any

import pytest
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema

from modeltap.errors import SettingsError
from modeltap.serving.arguments import Arguments, BadRequest, Request, arguments_of

JSON = {"content-type": "application/json; charset=utf-8"}


def plain(raw_data: str) -> str:
    return raw_data


def with_headers(raw_data: str, request_headers: dict[str, str]) -> object:
    return raw_data, request_headers


@input_schema("rows", StandardPythonParameterType([1.5]))
@input_schema("scale", StandardPythonParameterType(1.5), optional=True)
def by_schema(rows: Any, scale: float = 2.0) -> object:
    return rows, scale


def read(run: Any, request: Request) -> dict[str, Any]:
    return arguments_of(run, "score.py").read(request)


def post(body: bytes, headers: dict[str, str] | None = None) -> Request:
    return Request("POST", headers or {}, [], body)


def get(*query: tuple[str, str]) -> Request:
    return Request("GET", {}, query, b"")


def refusal(run: Any, request: Request) -> tuple[int, str]:
    with pytest.raises(BadRequest) as refused:
        read(run, request)
    return refused.value.status, refused.value.message


def test_a_plain_run_gets_the_body_as_text_whatever_its_content_type():
    assert read(plain, post('{"data": ["ü"]}'.encode())) == {"raw_data": '{"data": ["ü"]}'}
    assert read(plain, post(b"")) == {"raw_data": ""}


def test_the_query_of_a_get_becomes_json_text():
    values = read(plain, get(("a", "1"), ("b", "[1, 2]"), ("c", "text"), ("d", "null"), ("e", "1"), ("e", "x")))
    assert json.loads(values["raw_data"]) == {"a": 1, "b": [1, 2], "c": "text", "d": None, "e": [1, "x"]}


def test_the_headers_come_along_when_run_asks_for_them():
    assert read(with_headers, post(b"x", {"a": "b"})) == {"raw_data": "x", "request_headers": {"a": "b"}}


def test_a_run_with_a_schema_gets_its_arguments_by_name_and_converted():
    values = read(by_schema, post(b'{"rows": [1, 2], "other": 1}', JSON))
    assert values == {"rows": [1, 2], "scale": 2.0}
    assert by_schema(**values) == ([1, 2], 2.0)
    assert read(by_schema, get(("rows", "[3]"), ("scale", "4"))) == {"rows": [3], "scale": 4}


def test_bad_requests_are_told_apart():
    assert refusal(plain, post(b"\xff")) == (400, "The body is not UTF-8 text: invalid start byte at byte 0.")
    assert refusal(plain, Request("DELETE", {}, [], b""))[0] == 405
    assert refusal(by_schema, post(b"{}", {"content-type": "text/csv"}))[0] == 415
    assert refusal(by_schema, post(b"", JSON)) == (400, "The body is empty.")
    assert refusal(by_schema, post(b"{", JSON)) == (400, "The body is not JSON.")
    assert refusal(by_schema, post(b"[" * 100_000, JSON)) == (400, "The body is not JSON.")
    assert refusal(by_schema, post(b"[1]", JSON)) == (400, "The body must be a JSON object.")
    assert refusal(by_schema, post(b"{}", JSON)) == (400, "A value for 'rows' is missing in the request.")


async def coroutine(data: str) -> None: ...


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (lambda: None, "cannot take a request's body; define"),
        (lambda *data: None, "cannot take a request's body; define"),
        (lambda request_headers: None, "cannot take a request's body; define"),
        (coroutine, "run is a coroutine function"),
    ],
)
def test_a_run_that_cannot_be_called_is_explained(run: Any, text: str):
    with pytest.raises(SettingsError, match=text):
        arguments_of(run, "score.py")


def test_the_first_argument_is_passed_by_its_own_name():
    assert isinstance(arguments_of(lambda anything: None, "x"), Arguments)
    assert read(lambda anything: None, post(b"x")) == {"anything": "x"}
