"""The web app around a scoring file: its routes, its answers to failures, its start and end.

Promises: a failing ``run`` is a JSON 500 that says nothing of its inside, with the traceback in the log,
and the service goes on; each request is one request scope; when the service ends, the middleware ships
what waits, as far as the exit flush allows.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as WebRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from modeltap.compat import script
from modeltap.errors import ModeltapError
from modeltap.serving.answers import DURATION, Unanswerable, answer, message
from modeltap.serving.arguments import BadRequest, Request
from modeltap.serving.ids import ClientIds
from modeltap.serving.server import FAILURE_VARIABLE
from modeltap.serving.worker import Worker
from modeltap.telemetry.asgi import Middleware

STARTUP_FAILURE = 3
"""The exit code by which uvicorn knows that starting again is of no use."""

log = logging.getLogger("modeltap.serving")


def from_environment() -> ASGIApp:
    """Make the app for the scoring file that the environment names; ends the process if it cannot start."""
    path = os.environ[script.VARIABLE]
    try:
        worker = Worker(path)
    except BaseException as error:  # a scoring file may raise anything, SystemExit too
        if isinstance(error, ModeltapError):
            log.error("%s", error)  # noqa: TRY400  the sentence says it all
        else:
            log.exception("starting the service: %s raised while it was loaded or initialised", path)
        if failure := os.environ.get(FAILURE_VARIABLE):
            Path(failure).touch()
        sys.exit(STARTUP_FAILURE)
    return app_of(worker)


def app_of(worker: Worker) -> ASGIApp:
    """Make the app around a worker that has loaded its scoring file."""

    async def score(request: WebRequest) -> Response:
        return await scored(worker, request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        worker.close()

    app = Starlette(
        routes=[Route("/", health), Route("/score", score, methods=["GET", "POST", "OPTIONS"])],
        exception_handlers={HTTPException: refused},
        lifespan=lifespan,
    )
    return Middleware(ClientIds(app))


async def health(_: WebRequest) -> Response:
    """Say that the service is there."""
    return PlainTextResponse("Healthy")


async def refused(_: WebRequest, error: Exception) -> Response:
    """Answer a path or method that is not served."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return message(status, error.detail if isinstance(error, HTTPException) else "")


async def scored(worker: Worker, web: WebRequest) -> Response:
    """Answer one request to ``/score``."""
    if web.method == "OPTIONS":
        return Response(status_code=200)
    request = Request(web.method, web.headers, web.query_params.multi_items(), await web.body())
    try:
        arguments = worker.arguments.read(request)
    except BadRequest as refusal:
        return message(refusal.status, refusal.message)
    outcome = await worker.call(arguments)
    if outcome.error is not None:
        log.error("scoring: run raised; the caller got a 500", exc_info=outcome.error)
        return message(500, "The scoring file raised an exception; the service's log has it.", failed=True)
    try:
        response = answer(outcome.value)
    except Unanswerable as problem:
        log.error("scoring: %s; return text, numbers, lists and dicts of them, or bytes", problem)  # noqa: TRY400
        return message(500, "The scoring file returned what cannot be sent; the service's log says more.", failed=True)
    response.headers[DURATION] = f"{outcome.milliseconds:.3f}"
    return response
