"""What became of the demo's rows: counted where they were accepted, where they were shipped, and in the files."""

from __future__ import annotations

import time
from typing import NamedTuple

from modeltap.spool.directory import SpoolDirectory
from modeltap.stores.base import Store
from modeltap.workspace.activity import tally
from modeltap.workspace.listing import list_collections
from modeltap.workspace.rows import read_rows

SETTLING_SECONDS = 5.0
PAUSE_SECONDS = 0.2


class Count(NamedTuple):
    """Three counts of the same rows, each from another source.

    Attributes:
        accepted: by ``collect()``, from the counters of the scoring processes.
        shipped: from the agent's progress.
        in_files: rows of the CSV files, read one by one.
        lost: rejected or dropped, whatever the reason.
    """

    accepted: int
    shipped: int
    in_files: int
    lost: int

    @property
    def agree(self) -> bool:
        """Whether every accepted row arrived, once."""
        return self.accepted == self.shipped == self.in_files > 0 and not self.lost


def settled_count(spool: SpoolDirectory, store: Store, service: str, since: str) -> Count:
    """Count until the sources agree: scoring processes publish their counters once a second.

    Args and result are those of ``count_rows``; after ``SETTLING_SECONDS`` they are what they are.
    """
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        found = count_rows(spool, store, service, since)
        if found.agree or time.monotonic() > deadline:
            return found
        time.sleep(PAUSE_SECONDS)


def count_rows(spool: SpoolDirectory, store: Store, service: str, since: str) -> Count:
    """Count the rows of one service.

    Args:
        spool: its spool, used by nobody else.
        store: where its rows arrived.
        service: its name.
        since: rows with an earlier ``$Timestamp`` are another demo's.
    """
    found = tally(spool)
    lost = sum(found.counters["rejected"].values()) + sum(found.counters["dropped"].values())
    collections = [listed for listed in list_collections(store).collections if listed.key.service == service]
    infos = [info for listed in collections for _, info in listed.files]
    in_files = sum(row["$Timestamp"] >= since for info in infos for row in read_rows(store, info))
    return Count(found.accepted, found.shipped, in_files, lost)
