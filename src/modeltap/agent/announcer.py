"""The announcer: tells the store who ships what: a heartbeat for each service, and the catalog.

Promises: advisory and soft: whatever fails here delays no row and ends no agent; after a failure the store is
left alone for a minute; a heartbeat every 10 s, the catalog at most every 5 s while rows come, both at the end.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Iterable

from modeltap.agent.encoder import GrowingEncoder
from modeltap.agent.scorers import Scorer, Service, services_of
from modeltap.core.urls import public_url
from modeltap.errors import ModeltapError
from modeltap.services.catalog import CatalogWriter, FileFacts
from modeltap.services.writers import Writer, put_writer
from modeltap.shipping.effects import Commit, Progress
from modeltap.stores.base import Store
from modeltap.version import __version__

HEARTBEAT_SECONDS = 10.0
CATALOG_SECONDS = 5.0
AFTER_FAILURE_SECONDS = 60.0

log = logging.getLogger("modeltap.agent")


class Announcer:
    """Tells one store about one agent."""

    def __init__(self, store: Store, agent: str, encoder: GrowingEncoder) -> None:
        """Begin without asking the store anything.

        Args:
            store: where.
            agent: a name that is its own on this host and stays over restarts.
            encoder: which encoder is at work.
        """
        self._store = store
        self._host = os.uname().nodename
        self._agent = agent
        self._versions = {"modeltap": __version__, "python": platform.python_version()}
        self._encoder = encoder
        self._catalog = CatalogWriter(store, f"{self._host}-{agent}")
        self._uncatalogued = False
        self._heartbeat_at = self._catalog_at = -AFTER_FAILURE_SECONDS
        self._silent_until = 0.0
        self._known_services: set[str] = set()

    def note(self, commits: Iterable[Commit]) -> None:
        """Remember batches for the catalog."""
        for commit in commits:
            facts = FileFacts(commit.schema, commit.rows, commit.length, commit.first_us, commit.last_us)
            try:
                self._catalog.add(commit.path, facts)
            except ModeltapError as error:
                log.warning("%s", error)
                continue
            self._uncatalogued = True

    def tell(self, scorers: list[Scorer], progress: Progress, *, now: bool = False) -> None:
        """Tell what is due; everything when ``now``.

        Args:
            scorers: the scoring processes of the spool.
            progress: where shipping stands.
            now: the agent ends or has nothing else to do.
        """
        clock = time.monotonic()
        if clock < self._silent_until:
            return
        try:
            if self._uncatalogued and (now or clock - self._catalog_at >= CATALOG_SECONDS):
                self._catalog_at = clock
                self._catalog.put_changed()
                self._uncatalogued = False
            services = services_of(scorers)
            new = {service.name for service in services} - self._known_services
            if now or new or clock - self._heartbeat_at >= HEARTBEAT_SECONDS:
                self._heartbeat_at = clock
                for service in services:
                    put_writer(self._store, self._writer(service, progress))
                self._known_services |= new
        except Exception as error:  # noqa: BLE001  advisory: nothing that fails here may end the agent
            self._silent_until = time.monotonic() + AFTER_FAILURE_SECONDS
            log.warning("announcing to %s: %s; rows go on, the next try is in a minute", self._store.url, error)

    def _writer(self, service: Service, progress: Progress) -> Writer:
        shipped = sum(progress.shipped.get(stem, 0) for stem in service.stems)
        quarantined = sum(progress.quarantined.get(stem, 0) for stem in service.stems)
        return Writer(
            workspace=service.workspace,
            service=service.name,
            host=self._host,
            agent=self._agent,
            heartbeat_us=time.time_ns() // 1000,
            settings={**service.settings, "store": public_url(self._store.url)},
            versions={**self._versions, "encoder": self._encoder.name},
            counters={
                "collections": service.collections,
                "shipped": shipped,
                "quarantined": quarantined,
                "backlog_bytes": progress.backlog_bytes,
                "oldest_seconds": round(progress.oldest_seconds, 3),
            },
            last_error=progress.last_error,
        )
