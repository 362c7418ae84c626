"""``status.json``: where shipping stands, for flush, doctor, the scoring processes and the next agent.

Promises: replaced in one step, so a reader sees a whole document; published at most ten times a second while
batches go, and always before the agent pauses. Written after the ledger, so it never says too much. Fields::

    agent         {"pid", "started" (seconds since 1970 UTC), "version", "store" (public), "encoder"}
    updated       instant
    spool         identity of the spool
    segments      {segment: position below which no accepted row waits}
    settled       {segment: position below which every frame is done with}
    shipped       {writer stem: rows}
    quarantined   {writer stem: rows set aside}
    dropped       {reason: rows given up}
    damaged       {cause: bytes that are no frames}
    shipped_rows, backlog_bytes, oldest_seconds, open_batches, too_new
    last_error    text or null
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from modeltap.agent.encoder import GrowingEncoder
from modeltap.core.instants import instant_text
from modeltap.services.scrub import without_secrets
from modeltap.shipping.effects import Progress
from modeltap.spool.directory import SpoolDirectory, publish_document
from modeltap.version import __version__

SHORTEST_SECONDS = 0.1
_TOLD = ("segments", "settled", "shipped", "quarantined", "dropped", "damaged", "shipped_rows", "backlog_bytes")
_ALSO_TOLD = ("oldest_seconds", "open_batches", "too_new")

log = logging.getLogger("modeltap.agent")


class StatusFile:
    """Publishes the status of one agent."""

    def __init__(self, spool: SpoolDirectory, store: str, encoder: GrowingEncoder) -> None:
        self._spool = spool
        self._agent = {
            "pid": os.getpid(),
            "started": time.time(),
            "version": __version__,
            "store": store,
        }
        self._encoder = encoder
        self._published: dict[str, Any] = {}
        self._waiting: dict[str, Any] | None = None
        self._at = -SHORTEST_SECONDS
        self._complained = ""

    def take(self, progress: Progress) -> None:
        """Note where shipping stands, and publish it unless that was done a moment ago."""
        document = {name: getattr(progress, name) for name in (*_TOLD, *_ALSO_TOLD)}
        document["last_error"] = None if progress.last_error is None else without_secrets(progress.last_error)
        if _without_age(document) == _without_age(self._published):
            self._waiting = None
            return
        self._waiting = document
        if time.monotonic() - self._at >= SHORTEST_SECONDS:
            self.publish()

    def say(self, problem: str) -> None:
        """Publish a problem that keeps shipping from beginning; what was told before stands."""
        self._waiting = {**self._published, "last_error": without_secrets(problem)}
        self.publish()

    def publish(self) -> None:
        """Publish what was noted last, if it is news."""
        document, self._waiting = self._waiting, None
        if document is None:
            return
        whole = {
            "agent": {**self._agent, "encoder": self._encoder.name},
            "updated": instant_text(time.time_ns() // 1000),
            "spool": self._spool.hash,
            **document,
        }
        try:
            publish_document(self._spool.status, whole, self._spool.file_mode)
        except OSError as error:
            if str(error) != self._complained:
                log.warning("publishing %s: %s; shipping goes on", self._spool.status, error)
            self._complained = str(error)
            return
        self._published, self._at, self._complained = document, time.monotonic(), ""


def _without_age(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "oldest_seconds"}
