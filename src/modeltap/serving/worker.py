"""The one thread of a worker process that runs the scoring file.

Scoring files are not written for threads, and what ``init`` opens may belong to the thread that opened
it: so the file is loaded, initialised and run on this thread alone, one request after the other. The
request's context variables come along. Whatever ``run`` raises is a result, never the thread's end.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, NamedTuple

from modeltap.compat import script
from modeltap.serving.arguments import Arguments, arguments_of

Task = tuple[Callable[[], Any], "Future[Any]"]


class Outcome(NamedTuple):
    """What came of one call of ``run``: its value or what it raised, and its milliseconds."""

    value: Any
    error: BaseException | None
    milliseconds: float


class Worker:
    """Loads a scoring file and runs it on a thread of its own.

    Raises:
        SettingsError: the file cannot be served.
        BaseException: whatever the file's own code raises while it is loaded or initialised.
    """

    def __init__(self, path: str) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        # A daemon: a run() that never returns must not keep the process from ending.
        threading.Thread(target=self._work, name="modeltap-scoring", daemon=True).start()
        try:
            self._run, self.arguments = self._submit(lambda: _loaded(path)).result()
        except BaseException:
            self.close()
            raise

    async def call(self, arguments: dict[str, Any]) -> Outcome:
        """Call ``run`` in this task's context."""
        context = copy_context()
        return await asyncio.wrap_future(self._submit(lambda: context.run(_timed, self._run, arguments)))

    def close(self) -> None:
        """Let the thread end after what it has been given; the second call does nothing."""
        self._tasks.put(None)

    def _submit(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._tasks.put((work, future))
        return future

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, future = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits
                future.set_exception(error)


def _loaded(path: str) -> tuple[Callable[..., Any], Arguments]:
    scoring = script.load(path)
    arguments = arguments_of(scoring.run, scoring.path)
    scoring.init()
    return scoring.run, arguments


def _timed(run: Callable[..., Any], arguments: dict[str, Any]) -> Outcome:
    started = time.perf_counter()
    value, error = None, None
    try:
        value = run(**arguments)
    except BaseException as raised:  # noqa: BLE001  a scoring file that exits must not end the service
        error = raised
    return Outcome(value, error, (time.perf_counter() - started) * 1000)
