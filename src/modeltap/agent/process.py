"""The agent's composition: lock, store, encoder, shipper, control; as a process or on a thread.

Promises: one agent for each spool, chosen by ``agent.lock``, which the kernel frees at any death; it ends by
itself only under ``start.lock``, after it has looked once more, so a scoring process that finds an agent
running can rely on it; a store that cannot be opened yet is tried again while rows wait in the spool.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import inf
from typing import TypeVar

from modeltap.agent.announcer import Announcer
from modeltap.agent.control import AgentControl
from modeltap.agent.encoder import GrowingEncoder
from modeltap.agent.givenup import GivenUp
from modeltap.agent.status import StatusFile
from modeltap.core.settings import Settings
from modeltap.core.urls import public_url
from modeltap.errors import StoreError
from modeltap.services.store_format import ensure_format
from modeltap.shipping.driver import Driver
from modeltap.shipping.header import header_line
from modeltap.shipping.shipper import ship
from modeltap.shipping.work import Config
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.filesystem import LocalFilesystem
from modeltap.spool.locks import FileLock
from modeltap.spool.progress import segments_of
from modeltap.stores.base import Store
from modeltap.stores.urls import open_store

T = TypeVar("T")

LOCK_TRIES = 25
LOCK_PAUSE_SECONDS = 0.02
"""Whoever asks whether an agent runs holds the lock for a moment, so one failed try says nothing."""
STORE_PAUSE_SECONDS = 0.5
LONGEST_STORE_PAUSE_SECONDS = 30.0
FEW_STORE_PAUSES_SECONDS = 2.0
QUARANTINE_SHARE = 4
"""The quarantine may take a quarter of the spool's bound."""

log = logging.getLogger("modeltap.agent")


class Agent:
    """Ships one spool to one store."""

    def __init__(
        self,
        spool: SpoolDirectory,
        settings: Settings,
        *,
        idle_seconds: float = -1.0,
        drain: bool = False,
        open_: Callable[[str], Store] = open_store,
    ) -> None:
        """Prepare; nothing is locked or opened yet.

        Args:
            spool: what to ship.
            settings: the store's URL, the flush interval, the bounds.
            idle_seconds: see ``AgentControl``.
            drain: see ``AgentControl``.
            open_: opens the store of a URL.

        Raises:
            SettingsError: the store's URL names no store that this version has.
        """
        self._spool = spool
        self._settings = settings
        self._store = open_(settings.store)
        self._encode = GrowingEncoder()
        self._lock = FileLock(spool.agent_lock, spool.file_mode)
        self._status = StatusFile(spool, public_url(settings.store), self._encode)
        self.control = AgentControl(
            spool,
            self._status,
            Announcer(self._store, spool.hash, self._encode),
            GivenUp(spool, settings.spool_max_bytes),
            idle_seconds=idle_seconds,
            drain=drain,
            owns_spool=lambda: self._lock.in_place,
        )

    def lock(self, tries: int = LOCK_TRIES) -> bool:
        """Become the agent of the spool; False when there is another one."""
        return bool(_try(self._lock.acquire, tries))

    def run(self) -> bool:
        """Ship until the control says to end. Needs the lock, and frees it.

        Returns:
            Whether nothing was left to ship.

        Raises:
            FormatTooNew: the spool was written by a newer modeltap; it is left untouched.
            OSError: the spool cannot be read.
        """
        control = self.control
        try:
            if not self._await_store():
                return False
            driver = Driver(LocalFilesystem(), self._store, control, self._spool.file_mode)
            while True:
                driver.run(ship(self._config()))
                if self._may_end():
                    progress = control.progress
                    return progress is not None and progress.idle and not progress.too_new
                control.go_on()
        finally:
            control.close()
            self._lock.close()

    def _config(self) -> Config:
        return Config(
            spool=self._spool.path,
            spool_hash=self._spool.hash,
            encode=self._encode,
            header=header_line,
            flush_seconds=self._settings.flush_seconds,
            quarantine_bytes=self._settings.spool_max_bytes // QUARANTINE_SHARE,
        )

    def _await_store(self) -> bool:
        """Make sure that this modeltap may write to the store; False when told to end before."""
        pause = STORE_PAUSE_SECONDS
        while True:
            try:
                ensure_format(self._store)
                return True
            except StoreError as error:
                log.warning("opening the store: %s; trying again", error)
                self._status.say(str(error))
            if self.control.orders().end or pause > self._longest_store_pause():
                return False
            self.control.wait(pause)
            pause = min(2 * pause, LONGEST_STORE_PAUSE_SECONDS)

    def _longest_store_pause(self) -> float:
        """One that ships once and was given no time tries a few times only."""
        only_once = self.control.drains_once and not self.control.stopping
        return FEW_STORE_PAUSES_SECONDS if only_once else inf

    def _may_end(self) -> bool:
        """Whether nothing has come since; the lock is freed while nobody else can start an agent."""
        if self.control.stopping or self.control.drains_once or self.control.disowned:
            return True
        start = FileLock(self._spool.start_lock, self._spool.file_mode)
        if not _try(start.acquire, LOCK_TRIES):
            return False  # somebody is about to start an agent: let it find this one
        try:
            if self._has_news():
                return False
            self._lock.close()
            # Whoever found the lock held until now relies on this agent, and had a segment there before that.
            return not (self._has_news() and _try(self._lock.acquire, LOCK_TRIES))
        finally:
            start.close()

    def _has_news(self) -> bool:
        progress = self.control.progress
        known = progress.segments if progress is not None else {}
        return any(name not in known for name in segments_of(self._spool))


def _try(attempt: Callable[[], T], tries: int) -> T | None:
    for number in range(tries):
        if number:
            time.sleep(LOCK_PAUSE_SECONDS)
        result = attempt()
        if result:
            return result
    return None
