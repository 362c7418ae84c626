"""JSON documents in a store: how all of ``modeltap.services`` writes and reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modeltap.errors import Conflict, StoreDenied
from modeltap.stores.base import Store

FORMAT = 1
"""Of every document; a reader refuses a newer one."""


def encode_document(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document, readable by people."""
    return json.dumps({"format": FORMAT, **document}, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def decode_document(path: str, data: bytes) -> dict[str, Any] | None:
    """Read the bytes of a document; None when they are damaged.

    Raises:
        StoreDenied: written by a newer modeltap; the message says to upgrade.
    """
    try:
        document = json.loads(data)
    except ValueError:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        return None
    if document["format"] > FORMAT:
        raise StoreDenied(
            f"reading {path}: its format {document['format']} is newer than {FORMAT}; it is left alone, upgrade modeltap"
        )
    return document


def read_document(store: Store, path: str) -> dict[str, Any] | None:
    """Read a document of a store; None when it is missing or damaged.

    Raises:
        StoreDenied: no rights, or written by a newer modeltap.
        StoreUnavailable: the store does not answer.
    """
    try:
        data = store.read(path)
    except Conflict:
        return None
    return decode_document(path, data)
