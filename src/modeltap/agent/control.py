"""The agent's control: what a running shipper is told to do, and what becomes of its reports.

Promises: a request to flush is seen within 250 ms; an order to end lets the current commit finish, ships what is
there for the grace that was given, and then ends whatever the store does; an agent that was started by a
scoring process ends by itself 5 s after the last row is shipped and the last scoring process has gone.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from modeltap.agent.announcer import Announcer
from modeltap.agent.givenup import GivenUp
from modeltap.agent.scorers import Scorer, forget_ended, read_scorers
from modeltap.agent.status import StatusFile
from modeltap.shipping.effects import Orders, Progress
from modeltap.spool.directory import SpoolDirectory

IDLE_SECONDS = 5.0
GRACE_SECONDS = 20.0
"""Less than the 30 s that service managers give between SIGTERM and SIGKILL."""
SCORERS_SECONDS = TELL_SECONDS = 1.0
FORGET_SECONDS = 60.0

log = logging.getLogger("modeltap.agent")


class AgentControl:
    """Told by its owner from any thread or signal handler, asked by the driver from its own."""

    def __init__(
        self,
        spool: SpoolDirectory,
        status: StatusFile,
        announcer: Announcer,
        given_up: GivenUp,
        *,
        idle_seconds: float = -1.0,
        drain: bool = False,
        owns_spool: Callable[[], bool] = lambda: True,
    ) -> None:
        """Begin.

        Args:
            spool: what is shipped.
            status: where progress is published.
            announcer: tells the store.
            given_up: records rows that are given up.
            idle_seconds: end when there was nothing and nobody for so long; negative: never.
            drain: ship what is there, then end.
            owns_spool: whether the spool is still the one that was locked; else nothing more of it is touched.
        """
        self._spool = spool
        self._status = status
        self._announcer = announcer
        self._given_up = given_up
        self._idle_seconds = idle_seconds
        self._owns_spool = owns_spool
        self._wake = threading.Event()
        self._drain = self.drains_once = drain
        self._deadline = float("inf")
        self._quiet_since = -1.0
        self.known_scorers: list[Scorer] = []
        self._scorers_at = self._forgot_at = self._told_at = -FORGET_SECONDS
        self._told_error: str | None = None
        self.stopping = self.disowned = False
        self.progress: Progress | None = None

    def stop(self, grace_seconds: float) -> None:
        """End, after shipping what is there for at most so long. Safe in a signal handler; idempotent."""
        self._deadline = min(self._deadline, time.monotonic() + grace_seconds)
        self.stopping = self._drain = True
        self._wake.set()

    def go_on(self) -> None:
        """The shipper starts again after it ended because nothing was to do."""
        self._quiet_since = -1.0
        self._drain = self.stopping or self.drains_once

    @property
    def scorers(self) -> list[Scorer]:
        """The scoring processes, as of a second ago at most."""
        clock = time.monotonic()
        if clock - self._scorers_at >= SCORERS_SECONDS:
            self._scorers_at = clock
            try:
                self._read_scorers(clock)
            except OSError as error:
                log.warning("reading %s: %s; shipping goes on", self._spool.writers, error)
        return self.known_scorers

    def _read_scorers(self, clock: float) -> None:
        self.known_scorers = read_scorers(self._spool)
        if clock - self._forgot_at >= FORGET_SECONDS:
            self._forgot_at = clock
            forget_ended(self._spool, self.known_scorers)

    def orders(self) -> Orders:
        """See ``modeltap.shipping.driver.Control``."""
        self.disowned = self.disowned or not self._owns_spool()
        end = self.disowned or time.monotonic() >= self._deadline
        return Orders(flush=self._flush_mark(), drain=self._drain, end=end)

    def wait(self, seconds: float) -> None:
        """See ``modeltap.shipping.driver.Control``; what is known is published before."""
        self._status.publish()
        self._tell()
        self._wake.wait(min(seconds, max(0.0, self._deadline - time.monotonic())))
        if self.stopping:
            self._wake.clear()  # it has done its work; the next pause is a real one

    def report(self, progress: Progress) -> None:
        """See ``modeltap.shipping.driver.Control``."""
        self.progress = progress
        self._status.take(progress)
        self._announcer.note(progress.commits)
        if progress.last_error != self._told_error and progress.last_error is not None:
            log.warning("%s", progress.last_error)
        self._told_error = progress.last_error
        if progress.given_up:
            try:
                self._given_up.record(progress.given_up)
            except OSError as error:
                log.warning("recording rows that were given up: %s; they are counted in status.json", error)
        self._watch_for_quiet(progress)
        self._tell()

    def close(self) -> None:
        """Publish and tell the last state."""
        if self.disowned:
            log.warning("the spool %s was removed; its agent ends", self._spool.path)
            return
        self._status.publish()
        if self.progress is not None:
            self._scorers_at = -SCORERS_SECONDS
            self._announcer.tell(self.scorers, self.progress, now=True)

    def _tell(self) -> None:
        clock = time.monotonic()
        if self.progress is not None and clock - self._told_at >= TELL_SECONDS:
            self._told_at = clock
            self._announcer.tell(self.scorers, self.progress)

    def _watch_for_quiet(self, progress: Progress) -> None:
        """Note since when there is nothing to ship and nobody who could bring more."""
        if self._idle_seconds < 0 or self.stopping:
            return
        # A newer modeltap has begun to write to this spool: its own agent can read all of it, so this one makes room.
        # Who lives is told by the locks of segments, never by process ids: those of zombies stay, others come again.
        needed = progress.living and not progress.too_new
        if not progress.idle or needed:
            self._quiet_since, self._drain = -1.0, False
            return
        clock = time.monotonic()
        if self._quiet_since < 0:
            self._quiet_since = clock
        self._drain = clock - self._quiet_since >= self._idle_seconds

    def _flush_mark(self) -> object:
        try:
            found = os.stat(self._spool.flush)
            with open(self._spool.flush, "rb") as file:
                return found.st_mtime_ns, file.read(256)
        except OSError:
            return None
