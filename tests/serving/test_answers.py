from __future__ import annotations

import json
from typing import Any

import flask
import numpy as np
import pytest
from azureml_inference_server_http.api.aml_response import AMLResponse
from starlette.responses import PlainTextResponse

from modeltap.serving.answers import Unanswerable, answer, message


def shown(output: Any) -> tuple[int, str, bytes]:
    response = answer(output)
    return response.status_code, response.headers.get("content-type", ""), bytes(response.body)


@pytest.mark.parametrize("output", [{"a": [1, None]}, [1.5, 2], "text", '{"a": 1}', 3, True, "ü\u2028"])
def test_what_is_json_goes_out_as_json_and_a_text_as_a_json_text(output: Any):
    status, kind, body = shown(output)
    assert (status, kind, json.loads(body)) == (200, "application/json", output)


def test_the_wire_is_that_of_the_originals_server():
    for output in ({"a": 1}, [1], "x", None):
        theirs = AMLResponse(output, 200, json_str=True)
        status, kind, body = shown(output)
        assert (status, kind, body) == (theirs.status_code, theirs.headers["content-type"], theirs.get_data())
        assert answer(output).headers["x-ms-run-function-failed"] == theirs.headers["x-ms-run-function-failed"]


def test_nothing_is_an_empty_object_and_bytes_go_out_as_they_are():
    assert shown(None) == (200, "application/json", b"{}")
    assert shown(b"\x00\x01") == (200, "application/octet-stream", b"\x00\x01")
    assert shown(bytearray(b"x"))[2] == b"x"


def test_a_response_of_the_originals_server_keeps_status_headers_and_body():
    theirs = AMLResponse(b"\x89PNG", 418, {"Content-Type": "image/png", "X-Many": "a,b"})
    ours = answer(theirs)
    assert (ours.status_code, ours.body, ours.headers["content-type"]) == (418, b"\x89PNG", "image/png")
    assert ours.headers.getlist("x-many") == ["a", "b"]
    assert ours.headers["content-length"] == "4"
    assert ours.headers["x-ms-run-function-failed"] == "False"


def test_a_response_of_flask_or_starlette_is_sent_too():
    assert shown(flask.Response("ok", 202, mimetype="text/csv")) == (202, "text/csv; charset=utf-8", b"ok")
    assert shown(PlainTextResponse("ok", 203))[0] == 203


def test_a_response_that_says_500_is_marked_as_a_failure_of_run():
    assert answer(AMLResponse("no", 503)).headers["x-ms-run-function-failed"] == "True"
    assert message(500, "no", failed=True).headers["x-ms-run-function-failed"] == "True"


@pytest.mark.parametrize("output", [np.zeros(2), object(), {1: {2}}, {"a": b"x"}, (x for x in [1])])
def test_what_cannot_be_sent_is_named(output: Any):
    with pytest.raises(Unanswerable, match=f"run returned a {type(output).__name__}, which is not JSON"):
        answer(output)


def test_a_structure_without_an_end_is_named():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Unanswerable, match="run returned a list"):
        answer(endless)
