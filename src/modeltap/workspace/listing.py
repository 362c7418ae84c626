"""What a store holds: one line for each collection.

Reads names and sizes from the store's listing, row counts and the last row from the catalog where it knows
all bytes of a file (it is advisory, and some seconds late); other files are counted if they are small, and
their last row is read from their end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from modeltap.core.instants import instant_text
from modeltap.core.key import DATA_TREE, CollectionKey, key_of_path
from modeltap.core.names import encode_part
from modeltap.services.catalog import FileFacts, read_catalog
from modeltap.services.schemas import read_schema
from modeltap.shipping.header import header_line
from modeltap.stores.base import Info, Store
from modeltap.workspace.rows import last_timestamp, read_rows

COUNTED_BYTES = 4 << 20
"""A file that the catalog does not know is counted row by row up to this size: a tenth of a second."""
UNKNOWN = -(1 << 62)
"""Makes any sum of rows negative."""


@dataclass
class Listed:
    """One collection of a store.

    Attributes:
        key: whose rows.
        files: its data files in path order, with their days.
        rows: how many; None when the catalog does not know all and the files are too large to count now.
        last_row: the timestamp of its newest row, or empty.
    """

    key: CollectionKey
    files: list[tuple[date, Info]] = field(default_factory=list)
    rows: int | None = None
    last_row: str = ""

    @property
    def days(self) -> list[date]:
        """The days that have files, oldest first."""
        return sorted({day for day, _ in self.files})

    @property
    def size_bytes(self) -> int:
        """Committed bytes of all files."""
        return sum(info.size for _, info in self.files)


@dataclass
class Listing:
    """What ``modeltap ls`` shows.

    Attributes:
        collections: in path order.
        other_files: files below ``modeldata/`` whose names modeltap does not write.
    """

    collections: list[Listed]
    other_files: int


def list_collections(store: Store, workspace: tuple[str, str, str] | None = None) -> Listing:
    """List what a store holds.

    Args:
        store: where.
        workspace: subscription, resource group and workspace to stay in; None lists all.
    """
    found: dict[CollectionKey, Listed] = {}
    other_files = 0
    for info in store.list(_prefix(DATA_TREE + "/", workspace)):
        place = key_of_path(info.path)
        if place is None:
            other_files += 1
            continue
        key, day, _ = place
        found.setdefault(key, Listed(key)).files.append((day, info))
    catalog = {path: facts for _, _, day in read_catalog(store, workspace or ()) for path, facts in day.files.items()}
    counter = _Counter(store, catalog)
    for listed in found.values():
        counter.complete(listed)
    return Listing(list(found.values()), other_files)


def as_document(listing: Listing) -> dict[str, Any]:
    """The same as plain values for programs."""
    names = ("subscription", "resource_group", "workspace", "service", "model", "version", "designation")
    return {
        "collections": [
            dict(zip(names, listed.key.parts, strict=True))
            | {
                "days": [day.isoformat() for day in listed.days],
                "files": [info.path for _, info in listed.files],
                "rows": listed.rows,
                "bytes": listed.size_bytes,
                "last_row": listed.last_row or None,
            }
            for listed in listing.collections
        ],
        "other_files": listing.other_files,
    }


def _prefix(tree: str, workspace: tuple[str, str, str] | None) -> str:
    return tree + "".join(encode_part(part) + "/" for part in workspace or ())


class _Counter:
    """Counts the rows of a store's files; reads each schema once."""

    def __init__(self, store: Store, catalog: Mapping[str, FileFacts]) -> None:
        self._store = store
        self._catalog = catalog
        self._header_bytes = cache(self._read_header_bytes)

    def complete(self, listed: Listed) -> None:
        """Add the number of rows and the newest row's instant to a collection."""
        rows, newest, last_day = 0, "", listed.days[-1]
        for day, info in listed.files:
            facts = self._catalog.get(info.path)
            if facts is not None and self._header_bytes(listed.key, facts.schema) + facts.size_bytes >= info.size:
                rows += facts.rows
                newest = max(newest, instant_text(facts.last_us))
                continue
            rows += sum(1 for _ in read_rows(self._store, info)) if info.size <= COUNTED_BYTES else UNKNOWN
            newest = max(newest, last_timestamp(self._store, info) if day == last_day else "")
        listed.rows = rows if rows >= 0 else None
        listed.last_row = newest

    def _read_header_bytes(self, key: CollectionKey, schema_id: str) -> int:
        """The length of a file's header line; 0 when its schema is gone: then its catalog is not believed."""
        schema = read_schema(self._store, key, schema_id)
        return 0 if schema is None else len(header_line(schema))
