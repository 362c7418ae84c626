"""``modeltap/store.json``: which format a store has, written once by the first who writes to it."""

from __future__ import annotations

from modeltap.errors import Conflict, StoreDenied
from modeltap.services.documents import encode_document, read_document
from modeltap.stores.base import Store

STORE_DOCUMENT = "modeltap/store.json"


def ensure_format(store: Store) -> None:
    """Make sure that this modeltap may write to a store; the agent asks once when it opens it.

    Idempotent, and safe from several processes at once.

    Raises:
        StoreDenied: the store has a newer format, its document is damaged, or there is no right to write.
        StoreUnavailable: the store does not answer.
    """
    if store.head(STORE_DOCUMENT) is None:
        try:
            store.put(STORE_DOCUMENT, encode_document({}), if_match="")
        except Conflict:
            check_format(store)  # somebody else was first
        return
    check_format(store)


def check_format(store: Store) -> None:
    """Make sure that this modeltap may read a store; one without a document may be read.

    Raises:
        StoreDenied: the store has a newer format, or its document is damaged.
    """
    if read_document(store, STORE_DOCUMENT) is None and store.head(STORE_DOCUMENT) is not None:
        raise StoreDenied(
            f"opening {store.url}: {STORE_DOCUMENT} is damaged; put back {encode_document({}).decode()!r} if no newer "
            "modeltap has written to this store"
        )
