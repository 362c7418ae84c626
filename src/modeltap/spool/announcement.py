"""What a scoring process tells of itself: ``writers/<stem>.json``, its counters and settings, for people.

Promise: replaced whole, at most once a second, only when something changed; never needed to ship a row.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from modeltap.core.key import CollectionKey
from modeltap.core.settings import Settings
from modeltap.spool.counters import CollectionCounters
from modeltap.spool.directory import SpoolDirectory, publish_document
from modeltap.spool.writer import SpoolWriter
from modeltap.version import __version__

_TOLD = ("shipper", "flush_seconds", "exit_flush_seconds", "spool_max_bytes", "collect", "durability")


class Announcement:
    """Remembers what was told last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = {name: getattr(settings, name) for name in _TOLD}
        self._told: dict[str, dict[str, Any]] = {}

    def publish(
        self,
        directory: SpoolDirectory,
        writer: SpoolWriter,
        counters: Mapping[CollectionKey, CollectionCounters],
        started: float,
    ) -> None:
        """Tell the counters if they changed.

        Raises:
            OSError: the spool cannot be written to.
        """
        services: dict[str, dict[str, Any]] = {}
        for key, found in list(counters.items()):
            services.setdefault("/".join(key.parts[:4]), {})[key.label] = found.as_document()
        if not services or services == self._told:
            return
        first = next(iter(counters))
        document = {
            "stem": writer.stem,
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "started": started,
            "version": __version__,
            "workspace": "/".join(first.parts[:3]),
            "service": first.service,
            "settings": self._settings,
            "counters": {label: found for labels in services.values() for label, found in labels.items()},
            "services": services,
            "volatile": writer.volatile_rows,
        }
        publish_document(os.path.join(directory.writers, f"{writer.stem}.json"), document, directory.file_mode)
        self._told = services
