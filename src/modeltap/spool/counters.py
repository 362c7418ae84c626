"""Counters of one process: every row that was offered is counted once.

offered = accepted + rejected + off + sampled_out. Each field is changed by one statement without a
call in it (a missing reason begins at zero by itself), which CPython does not interrupt, so threads
and signal handlers need no lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any


class CollectionCounters:
    """What happened to the rows of one collection in this process."""

    __slots__ = ("accepted", "dropped", "off", "rejected", "sampled_out", "unpaired_rows", "width_mismatch")

    def __init__(self) -> None:
        self.accepted = 0
        self.off = 0
        self.sampled_out = 0
        self.unpaired_rows = 0
        self.width_mismatch = 0
        self.rejected: defaultdict[str, int] = defaultdict(int)
        self.dropped: defaultdict[str, int] = defaultdict(int)

    def reject(self, reason: str, rows: int) -> None:
        """Count rows that ``collect()`` did not take."""
        self.rejected[reason] += rows

    def drop(self, reason: str, rows: int) -> None:
        """Count accepted rows that were given up."""
        self.dropped[reason] += rows

    def as_document(self) -> dict[str, Any]:
        """A copy as plain values."""
        return {
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "dropped": dict(self.dropped),
            "off": self.off,
            "sampled_out": self.sampled_out,
            "unpaired_rows": self.unpaired_rows,
            "width_mismatch": self.width_mismatch,
        }


def total(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Add the counters of several collections."""
    result = CollectionCounters().as_document()
    for document in documents.values():
        for name, value in document.items():
            if isinstance(value, Mapping):
                for reason, rows in value.items():
                    result[name][reason] = result[name].get(reason, 0) + rows
            else:
                result[name] += value
    return result
