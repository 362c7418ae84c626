"""``serve()``: uvicorn around the app, one process or several, until a signal ends it.

Binds 127.0.0.1 unless told otherwise: a scoring service asks nobody who they are. Each worker process
loads the scoring file anew and scores on one thread; uvicorn's supervisor replaces a worker that dies
and gives up when one cannot start. SIGTERM and SIGINT let running requests end, for 10 s at most.
"""

from __future__ import annotations

import ast
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeltap.compat import script
from modeltap.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from uvicorn import Config

FAILURE_VARIABLE = "MODELTAP_SERVE_FAILURE"
"""Names a file that a worker process makes when it cannot start, for the process that started it."""
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5001
"""The port of the original's server."""
GRACE_SECONDS = 10
"""With an exit flush of 20 s it fits the 30 s between SIGTERM and SIGKILL of container runtimes."""
HEALTH_SECONDS = 20
"""A model that loads without letting other threads run must not be taken for a hung worker; on the
other hand uvicorn may wait this long for the answer of a worker that has just died."""


def serve(
    path: str | os.PathLike[str],
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    workers: int = 1,
    service: str = "",
) -> int:
    """Host a scoring file until SIGTERM or SIGINT.

    Args:
        path: the scoring file, with ``run(data)`` and usually ``init()``.
        host: the address to bind.
        port: the port to bind, 0 for a free one.
        workers: processes, 1 or more.
        service: the service's name in what is collected; default: ``MODELTAP_SERVICE``.

    Returns:
        0 when a signal ended it, 1 when it could not start (the log says why).

    Raises:
        SettingsError: no such file, no ``run`` in it, or an argument that cannot be used.
        MissingExtra: uvicorn or starlette is not installed.
    """
    file = script.existing(path)
    _check(file, port, workers)
    with tempfile.TemporaryDirectory(prefix="modeltap-serve-") as folder:
        failure = Path(folder, "failure")
        with _environment(_settings(file, service, failure)), _ended_by_sigterm():
            code = _serve(host, port, workers)
        return 1 if failure.exists() else code


def _serve(host: str, port: int, workers: int) -> int:
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    options: dict[str, Any] = {
        "app": "modeltap.serving.app:from_environment",
        "factory": True,
        "log_config": _with_own_logger(LOGGING_CONFIG),
        "host": host,
        "port": port,
        "workers": workers,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "timeout_worker_healthcheck": HEALTH_SECONDS,
    }
    try:
        if workers > 1:
            _supervise(uvicorn.Config(**options))
        else:
            uvicorn.run(**options)
    except SystemExit as end:
        return 1 if end.code else 0
    return 0


def _supervise(config: Config) -> None:
    """Run several workers on one socket."""
    from uvicorn.supervisors import Multiprocess

    listening = config.bind_socket()
    # Connections inherit it. asyncio sees to it only on sockets that name their protocol, which this one does
    # not, and an answer on a kept connection would wait 40 ms for the client's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Multiprocess(config, sockets=[listening]).run()


def _with_own_logger(config: Mapping[str, Any]) -> dict[str, Any]:
    """The logging of uvicorn, with modeltap's own lines (a failing run, a rejected row) beside its own."""
    own = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return {**config, "loggers": {**config["loggers"], "modeltap": own}}


def _check(file: Path, port: int, workers: int) -> None:
    if not 0 <= port <= 65535:
        raise SettingsError(f"serving {file.name}: {port} is no port; give one from 0 to 65535")
    if workers < 1:
        raise SettingsError(f"serving {file.name}: {workers} workers cannot serve; give 1 or more")
    if not _binds_run(file):
        raise SettingsError(
            f"serving {file}: it has no function run; define run(data), which gets a request's body and returns "
            "the prediction"
        )
    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        raise MissingExtra("modeltap serve", "serve")


def _binds_run(file: Path) -> bool:
    """Whether a file could have a ``run``, seen without running it: loading a model twice is dear."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError) as error:
        raise SettingsError(f"serving {file}: Python cannot read it: {error}; correct the file") from error
    names = {getattr(node, "name", None) for node in nodes}
    names |= {node.asname for node in nodes if isinstance(node, ast.alias)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bool(names & {"run", "*", "driver_module"})


def _settings(file: Path, service: str, failure: Path) -> dict[str, str]:
    settings = {script.VARIABLE: str(file), FAILURE_VARIABLE: str(failure)}
    if service:
        settings["MODELTAP_SERVICE"] = service
    if not os.environ.get("AZUREML_MODEL_DIR"):
        settings["AZUREML_MODEL_DIR"] = str(file.parent)
    return settings


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process and its workers, and put back what was there."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Turn the SIGTERM that uvicorn raises again after its graceful end into a clean return."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(signal_number: int, frame: object) -> None:
    del signal_number, frame
    raise SystemExit(0)
