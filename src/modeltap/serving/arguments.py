"""From an HTTP request to the arguments of ``run``.

=======================  =============================================================
``run``                  gets
=======================  =============================================================
``run(data)``            the body of a POST as text; the query of a GET as JSON text
with ``@input_schema``   by name, the values of the JSON object in the body or query
``request_headers``      a dict of the headers, if ``run`` has an argument of that name
=======================  =============================================================
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from modeltap.errors import SettingsError

HEADERS_ARGUMENT = "request_headers"
_RAW_MODULES = ("azureml_inference_server_http.api.aml_request", "azureml.contrib.services.aml_request")
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class BadRequest(Exception):
    """A request that ``run`` cannot be called with: status and text of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Request(NamedTuple):
    """What of an HTTP request can become an argument."""

    method: str
    headers: Mapping[str, str]
    query: Iterable[tuple[str, str]]
    body: bytes


class Arguments(NamedTuple):
    """How one ``run`` is called."""

    data: tuple[inspect.Parameter, ...]
    by_schema: bool
    with_headers: bool

    def read(self, request: Request) -> dict[str, Any]:
        """The keyword arguments for one request.

        Raises:
            BadRequest: 405 for another method than GET and POST, 400 and 415 for a body that cannot be read.
        """
        if request.method not in ("GET", "POST"):
            raise BadRequest(405, "Method not allowed")
        values: dict[str, Any] = {}
        values |= self._by_schema(request) if self.by_schema else {self.data[0].name: _as_text(request)}
        if self.with_headers:
            values[HEADERS_ARGUMENT] = dict(request.headers)
        return values

    def _by_schema(self, request: Request) -> dict[str, Any]:
        given = read_query(request.query) if request.method == "GET" else _as_object(request)
        values = {parameter.name: given.get(parameter.name, parameter.default) for parameter in self.data}
        for name, value in values.items():
            if value is inspect.Parameter.empty:
                raise BadRequest(400, f"A value for {name!r} is missing in the request.")
        return values


def arguments_of(run: Callable[..., Any], file: object) -> Arguments:
    """Find out how ``run`` wants to be called.

    Args:
        run: the scoring file's function.
        file: the file's path, for error messages.

    Raises:
        SettingsError: it cannot be called by this server.
    """
    if any(getattr(sys.modules.get(name), "_rawHttpRequested", False) for name in _RAW_MODULES):
        raise SettingsError(
            f"loading the scoring file {file}: run is decorated with @rawhttp, which hands a Flask request to it; "
            f"host it with modeltap run -- azmlinfsrv --entry_script {file}"
        )
    if inspect.iscoroutinefunction(run):
        raise SettingsError(f"loading the scoring file {file}: run is a coroutine function; define it without async")
    parameters = tuple(inspect.signature(run).parameters.values())
    data = tuple(parameter for parameter in parameters if parameter.name != HEADERS_ARGUMENT)
    if not data or any(parameter.kind not in _BY_NAME for parameter in parameters):
        raise SettingsError(
            f"loading the scoring file {file}: run{inspect.signature(run)} cannot take a request's body; "
            "define run(data), without *args, **kwargs and positional-only arguments"
        )
    return Arguments(data, _has_schema(run), len(data) < len(parameters))


def read_query(query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Values of a query by name: JSON where they are, else text; a repeated name gives a list."""
    values: dict[str, list[Any]] = {}
    for name, text in query:
        values.setdefault(name, []).append(_json_or_text(text))
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _as_text(request: Request) -> str:
    if request.method == "GET":
        return json.dumps(read_query(request.query))
    try:
        return request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(400, f"The body is not UTF-8 text: {error.reason} at byte {error.start}.") from error


def _as_object(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise BadRequest(415, "The content type must be application/json.")
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, "The body is not JSON." if request.body else "The body is empty.") from error
    if not isinstance(value, dict):
        raise BadRequest(400, "The body must be a JSON object.")
    return value


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _has_schema(run: Callable[..., Any]) -> bool:
    module = sys.modules.get("inference_schema.schema_util")  # whoever decorated run has imported it
    return module is not None and bool(module.is_schema_decorated(run))
