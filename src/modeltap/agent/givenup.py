"""Rows that the agent gives up go to the loss ledger, like those that a scoring process refuses.

Promise: they become rows of ``modeltap/losses/...``: written into a segment of the agent's own, which is sealed
at once and shipped like any other. What cannot be written now is tried again with the next ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from modeltap.core.key import LOSS_TREE, CollectionKey
from modeltap.spool.counters import CollectionCounters
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.losses import LossLedger
from modeltap.spool.writer import SpoolWriter
from modeltap.version import __version__


class GivenUp:
    """Records what one agent gives up."""

    def __init__(self, spool: SpoolDirectory, max_bytes: int) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._counters: dict[CollectionKey, CollectionCounters] = {}
        self._ledger = LossLedger()

    def record(self, given_up: Iterable[tuple[tuple[str, ...], str, int]]) -> None:
        """Write a loss for each (collection key as tree and parts, reason, rows)."""
        for (tree, *parts), reason, rows in given_up:
            if tree != LOSS_TREE:
                key = CollectionKey(*parts)
                self._counters.setdefault(key, CollectionCounters()).drop(reason, rows)
        writer = SpoolWriter(self._spool, max_bytes=self._max_bytes, version=__version__)
        try:
            self._ledger.record(self._counters, writer, time.time_ns() // 1000)
        finally:
            writer.close()
