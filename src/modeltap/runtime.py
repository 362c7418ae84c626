"""What one process has open: settings, spool writer, counters, the agent and one housekeeping thread.

Promises: starting never raises and never waits for the network; a fork gets a writer, locks and a
thread of its own; at exit the host's signal handlers are untouched and nothing is joined without a
bound. Once a second, and at once when a row begins to wait in memory, the housekeeping thread writes
what waits there, records losses, publishes the counters and sees to it that an agent runs; what fails
of that keeps nothing else from being done.
"""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from modeltap.core.key import CollectionKey
from modeltap.core.settings import Settings, resolve
from modeltap.errors import ModeltapError
from modeltap.spool import counters as counting
from modeltap.spool.announcement import Announcement
from modeltap.spool.child import AgentChild
from modeltap.spool.complaints import Complaints
from modeltap.spool.counters import CollectionCounters
from modeltap.spool.directory import SpoolDirectory, read_document
from modeltap.spool.losses import LossLedger
from modeltap.spool.progress import request_flush, segments_of, wait_until_shipped
from modeltap.spool.writer import SpoolWriter
from modeltap.version import __version__

log = logging.getLogger("modeltap")


TICK_SECONDS = 1.0
SPOOL_RETRY_TICKS = 5
SETTLE_SECONDS = 2.0
"""How long the end waits for housekeeping that is writing."""


class Runtime:
    """Everything that this process has open for collecting; see the module's text."""

    def __init__(self, settings: Settings, tick_seconds: float = TICK_SECONDS) -> None:
        """Open nothing yet.

        Args:
            settings: of this process.
            tick_seconds: how often the house is kept.
        """
        self.settings = settings
        self._tick_seconds = tick_seconds
        self.directory: SpoolDirectory | None = None
        self.writer: SpoolWriter | None = None
        self.counters: dict[CollectionKey, CollectionCounters] = {}
        self.problem = ""
        self._child: AgentChild | None = None
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        """What a process has for itself: at construction, and in a forked child."""
        self._thread: threading.Thread | None = None
        self._shipper_thread: Any = None
        self._starting_thread = threading.Lock()
        self._seeing_to_agent = threading.Lock()
        self._settling = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()  # its put() may interrupt itself, in signal handlers
        self._announcement = Announcement(self.settings)
        self._complaints = Complaints(lambda text: log.warning("modeltap: %s", text))
        self._losses = LossLedger(time.time_ns() // 1000)
        self.started = time.time()

    def complain(self, reason: str, text: str) -> None:
        """Have the housekeeping thread log a sentence, once per reason and minute: logging may block."""
        self._complaints.note(reason, text)
        if self._thread is None and not self.settings.disabled:
            self._start_housekeeping()  # in a forked child whose spool could not be opened yet

    def start(self) -> None:
        """Open the spool, the first segment and the agent; a problem is logged and tried again later."""
        for problem in self.settings.problems:
            log.warning("modeltap: %s", problem)
        if self.settings.disabled:
            return
        self._open_spool()
        self._do(self._see_to_agent)  # here, so that no fork and no early end comes before
        if self.writer is not None:
            self.writer.open()
        self._start_housekeeping()

    def counters_of(self, key: CollectionKey) -> CollectionCounters:
        """The counters of a collection, the same object for all its collectors."""
        return self.counters.setdefault(key, CollectionCounters())

    def flush(self, timeout_seconds: float, *, durable: bool) -> bool:
        """See ``modeltap.flush``."""
        writer, directory = self.writer, self.directory
        if writer is None or directory is None:
            return self.settings.disabled
        deadline = time.monotonic() + timeout_seconds
        self._settle()  # losses are rows too, and a process that ends now has told its counters
        names = segments_of(directory, writer.stem)
        if durable and not writer.volatile_rows:
            for name in names:
                writer.sync(name)
            return True
        self._see_to_agent()
        request_flush(directory)
        return wait_until_shipped(directory, names, deadline - time.monotonic()) and not writer.volatile_rows

    def stats(self) -> dict[str, Any]:
        """See ``modeltap.stats``."""
        documents = {key.label: found.as_document() for key, found in list(self.counters.items())}
        result = counting.total(documents)
        status = (read_document(self.directory.status) if self.directory else None) or {}
        stem = self.writer.stem if self.writer else ""
        result["shipped"] = status.get("shipped", {}).get(stem, 0)
        result["quarantined"] = status.get("quarantined", {}).get(stem, 0)
        result["volatile"] = self.writer.volatile_rows if self.writer else 0
        result["problem"] = self.problem or (self.writer.last_error if self.writer else "")
        result["collections"] = documents
        return result

    def close(self) -> None:
        """Seal the segment, publish the last counters, stop the thread; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._wake.put(None)
        if self.writer is not None:
            self.writer.begin_end()
        self._settle()
        if self.writer is not None:
            self.writer.close()
        if self._child is not None:
            self._child.forget()
        self._seeing_to_agent.acquire(timeout=1.0)  # and kept: nobody starts a shipper any more
        if self._shipper_thread is not None:
            self._shipper_thread.close(timeout_seconds=2.0)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def at_exit(self) -> None:
        """The interpreter ends: ship the rest when the settings ask for it, then close."""
        try:
            if self.settings.exit_flush_seconds > 0 and not self._closed:
                self.flush(self.settings.exit_flush_seconds, durable=False)
            self.close()
        except Exception:
            log.exception("modeltap: closing at exit failed; what is in the spool is shipped by the next run")

    def after_fork_in_child(self) -> None:
        """The child has no thread and shares no file; both come with its first row."""
        self._begin()
        for found in self.counters.values():
            found.__init__()  # type: ignore[misc]  # the collectors hold these very objects
        if self.writer is not None:
            self.writer.after_fork_in_child()

    def _open_spool(self) -> None:
        settings = self.settings
        root = settings.spool
        if settings.durability == "memory":
            root = os.path.join(_memory_place(), f"modeltap-{os.getuid()}")
        try:
            directory = SpoolDirectory.open(root, settings.store, group=settings.spool_group)
        except (OSError, ModeltapError) as error:
            self._complain(f"opening the spool {root}: {error}; rows are rejected until it can be opened")
            return
        self.problem = ""
        self.directory = directory
        if settings.shipper == "process":
            self._child = AgentChild(directory, root, settings.store)
        self.writer = SpoolWriter(
            directory,
            max_bytes=settings.spool_max_bytes,
            version=__version__,
            on_open=self._start_housekeeping,
            on_wait=lambda: self._wake.put(None),
        )

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("modeltap: %s", problem)
        self.problem = problem

    def _start_housekeeping(self) -> None:
        if self._thread is not None or self._closed or not self._starting_thread.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._keep_house, name="modeltap-housekeeping", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # the interpreter is ending: what is in the spool is shipped by the agent
            return
        finally:
            self._starting_thread.release()

    def _keep_house(self) -> None:
        ticks = 0
        wake = self._wake
        while not self._closed:
            ticks += 1
            if self.writer is None and ticks % SPOOL_RETRY_TICKS == 0:
                self._do(self._open_spool)
            self._do(self._see_to_agent)
            self._do(self._settle)
            try:
                wake.get(timeout=self._tick_seconds)
            except Empty:
                continue

    def _do(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except Exception as error:
            self.complain("housekeeping", f"housekeeping: {error!r}; it goes on in a second")

    def _settle(self) -> None:
        """Bring to disk what is still in memory: rows in the ring, losses, counters; log complaints."""
        self._complaints.tell()
        if self.writer is None or self.directory is None or not self._settling.acquire(timeout=SETTLE_SECONDS):
            return
        try:
            self.writer.recover()
            self._losses.record(self.counters, self.writer, time.time_ns() // 1000)
            self._announcement.publish(self.directory, self.writer, self.counters, self.started)
        except OSError as error:
            self.complain("announcement", f"telling the counters: {error}; rows are not affected")
        finally:
            self._settling.release()

    def _see_to_agent(self) -> None:
        """Start what ships if nothing does. Housekeeping and ``flush`` both ask: one at a time, the other goes on."""
        if self.directory is None or not self._seeing_to_agent.acquire(blocking=False):
            return
        try:
            self._start_shipper(self.directory)
        finally:
            self._seeing_to_agent.release()

    def _start_shipper(self, directory: SpoolDirectory) -> None:
        if self._child is not None:
            self._child.see_to_it()
            if self._child.hopeless:
                self._complain("the agent process does not start (see agent.log in the spool); a thread ships instead")
                self._child.forget()
                self._child, self.settings = None, replace(self.settings, shipper="thread")
        if self.settings.shipper == "thread" and self._shipper_thread is None and not self._closed:
            from modeltap.agent.thread import start

            self._shipper_thread = start(self.settings, directory)


def _memory_place() -> str:
    """Where files are memory, if there is such a place; private by mode, checked when opened."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()  # noqa: S108


_current: Runtime | None = None
_starting = threading.Lock()


def current() -> Runtime:
    """This process's runtime, started on first use from the environment as it is then."""
    global _current
    found = _current
    if found is None:
        with _starting:
            found = _current
            if found is None:
                found = Runtime(resolve())
                found.start()
                _current = found
    return found


def existing() -> Runtime | None:
    """This process's runtime if there is one."""
    return _current


def close() -> None:
    """Close this process's runtime; the next collector starts a new one. Idempotent."""
    global _current
    found, _current = _current, None
    if found is not None:
        found.close()


def _at_exit() -> None:
    if _current is not None:
        _current.at_exit()


def _after_fork_in_child() -> None:
    global _starting
    _starting = threading.Lock()
    if _current is not None:
        _current.after_fork_in_child()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
