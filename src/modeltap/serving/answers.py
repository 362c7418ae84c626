"""From what ``run`` returned to an HTTP response.

==============================  ==========================================================
``run`` returned                answer
==============================  ==========================================================
dict, list, str, number ...     200, JSON (a text becomes a JSON text, as on the original)
None                            200, ``{}``
bytes                           200, ``application/octet-stream``
AMLResponse, Flask, Starlette   its own status, headers and body
anything else                   500; the log names the type
==============================  ==========================================================

Each answer of ``/score`` carries ``x-ms-run-function-failed``.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

FAILED = "x-ms-run-function-failed"
DURATION = "x-ms-run-fn-exec-ms"


class Unanswerable(Exception):
    """What ``run`` returned cannot be sent; the text names its type."""


def answer(output: Any) -> Response:
    """Make the response for what ``run`` returned.

    Raises:
        Unanswerable: it is none of the kinds above.
    """
    response = _as_response(output)
    failed = response.headers.get(FAILED, "") == "True" or response.status_code >= 500
    response.headers[FAILED] = str(failed)
    return response


def message(status: int, text: str, *, failed: bool = False) -> Response:
    """A JSON answer that says one sentence."""
    return _json({"message": text}, status, failed=failed)


def _as_response(output: Any) -> Response:
    if isinstance(output, Response):
        return output
    if isinstance(output, bytes | bytearray | memoryview):
        return Response(bytes(output), media_type="application/octet-stream")
    if callable(getattr(output, "get_data", None)) and hasattr(output, "status_code") and hasattr(output, "headers"):
        return _copied(output)
    try:
        return _json({} if output is None else output, 200)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unanswerable(f"run returned a {type(output).__name__}, which is not JSON: {error}") from error


def _copied(foreign: Any) -> Response:
    """The same status, headers and body as a response of Flask or Werkzeug."""
    body = foreign.get_data()
    response = Response(body, status_code=int(foreign.status_code))
    for name, value in foreign.headers.items():
        if name.lower() != "content-length":
            response.headers.append(name, str(value))
    return response


def _json(value: Any, status: int, *, failed: bool = False) -> Response:
    body = json.dumps(value).encode("ascii")
    return Response(body, status_code=status, media_type="application/json", headers={FAILED: str(failed)})
