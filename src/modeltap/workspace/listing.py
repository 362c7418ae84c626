"""What a store holds: one line for each collection.

Reads names and sizes from the store's listing, row counts and the last row from the catalog where it
knows all files (it is advisory, so it may know fewer), else the last row from the end
of the newest file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from modeltap.core.instants import instant_text
from modeltap.core.key import DATA_TREE, CollectionKey, key_of_path
from modeltap.core.names import encode_part
from modeltap.services.catalog import FileFacts, read_catalog
from modeltap.stores.base import Info, Store
from modeltap.workspace.rows import last_timestamp


@dataclass
class Listed:
    """One collection of a store.

    Attributes:
        key: whose rows.
        files: its data files in path order, with their days.
        rows: how many the catalog knows; None when it does not know all files.
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
    for listed in found.values():
        _complete(store, listed, catalog)
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


def _complete(store: Store, listed: Listed, catalog: Mapping[str, FileFacts]) -> None:
    known = [catalog[info.path] for _, info in listed.files if info.path in catalog]
    if len(known) == len(listed.files):
        listed.rows = sum(facts.rows for facts in known)
        listed.last_row = instant_text(max(facts.last_us for facts in known))
        return
    newest = listed.days[-1]
    listed.last_row = max(last_timestamp(store, info) for day, info in listed.files if day == newest)
