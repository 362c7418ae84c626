"""The loss ledger: rows that were offered and not kept, as intervals that ship like data.

Promise: every increase of a ``rejected`` or ``dropped`` counter ends in exactly one row of
``modeltap/losses/<same path>/data.csv`` once the spool has room: reason, rows, first and last instant
between which they were counted. Until then the interval stays open and grows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from modeltap.core.instants import MICROSECONDS_PER_DAY, instant_text
from modeltap.core.key import LOSS_TREE, CollectionKey
from modeltap.core.schema import INT64, STRING, TIMESTAMP, Schema
from modeltap.spool.counters import CollectionCounters
from modeltap.spool.frame import FIXED, NO_ROW, Descriptor
from modeltap.spool.writer import SpoolWriter

SCHEMA = Schema((("reason", STRING), ("rows", INT64), ("first", TIMESTAMP), ("last", TIMESTAMP)))


class LossLedger:
    """Remembers what is recorded already; owned by the housekeeping of one process."""

    def __init__(self, since_us: int = 0) -> None:
        """Begin with nothing recorded.

        Args:
            since_us: when counting began; 0 when the first losses are recorded as they are counted.
        """
        self._recorded: dict[tuple[CollectionKey, str], int] = {}
        self._since_us = since_us

    def record(self, counters: Mapping[CollectionKey, CollectionCounters], writer: SpoolWriter, now_us: int) -> None:
        """Write one row for each (collection, reason) that has grown since the last one."""
        since = min(self._since_us or now_us, now_us)  # the clock may have been set back
        complete = True
        for key, reason, counted in _reasons(counters):
            rows = counted - self._recorded.get((key, reason), 0)
            if rows <= 0:
                continue
            if self._write(key, reason, rows, since, now_us, writer):
                self._recorded[key, reason] = counted
            else:
                complete = False
        if complete:
            self._since_us = now_us

    @staticmethod
    def _write(key: CollectionKey, reason: str, rows: int, since_us: int, now_us: int, writer: SpoolWriter) -> bool:
        descriptor = Descriptor(key.in_tree(LOSS_TREE), SCHEMA, "cells")
        payload = json.dumps([reason, rows, instant_text(since_us), instant_text(now_us)]).encode()
        identity = f"{writer.stem}-{now_us:x}".encode()
        fixed = FIXED.pack(0, now_us, now_us // MICROSECONDS_PER_DAY, 1, NO_ROW, 100.0, 0, len(identity), 0, 0)
        return writer.put(descriptor, fixed + identity + payload, 1) is None


def _reasons(counters: Mapping[CollectionKey, CollectionCounters]) -> Iterator[tuple[CollectionKey, str, int]]:
    for key, found in list(counters.items()):
        for counted in (found.rejected, found.dropped):
            for reason, rows in list(counted.items()):
                yield key, reason, rows
