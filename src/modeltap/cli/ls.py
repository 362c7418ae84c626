"""``modeltap ls``: one line for each collection of a store."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modeltap.cli.terminal import print_json, print_table, size_text

if TYPE_CHECKING:
    from modeltap.workspace.listing import Listed

SUMMARY = "list the collections of a store with their days, files, rows and bytes"
_HEADERS = (
    "workspace",
    "service",
    "model",
    "version",
    "designation",
    "days",
    "files",
    "rows",
    "bytes",
    "last row (UTC)",
)
_NUMBERS = ("days", "files", "rows", "bytes")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON document with every day and file")


def run(arguments: argparse.Namespace) -> int:
    """List what there is."""
    from modeltap.core.key import workspace_parts
    from modeltap.core.settings import resolve
    from modeltap.stores.urls import open_store
    from modeltap.workspace.listing import as_document, list_collections

    store = open_store(resolve().store)
    workspace = workspace_parts(arguments.workspace) if arguments.workspace else None
    listing = list_collections(store, workspace)
    if arguments.json:
        print_json({"store": store.url} | as_document(listing))
        return 0
    rows = [_line(found) for found in listing.collections]
    # the name of the only workspace says nothing
    skipped = 1 if len({row[0] for row in rows}) < 2 else 0
    if rows:
        print_table(_HEADERS[skipped:], [row[skipped:] for row in rows], right=_NUMBERS)
    else:
        print(f"No rows in {store.url} yet. Why? modeltap doctor")
    if listing.other_files:
        print(f"{listing.other_files} files below modeldata/ have names that modeltap does not write.")
    return 0


def _line(found: Listed) -> tuple[object, ...]:
    size, last = size_text(found.size_bytes), found.last_row[:19]
    workspace = "/".join(found.key.parts[:3])
    return (workspace, *found.key.parts[3:], len(found.days), len(found.files), found.rows, size, last)
