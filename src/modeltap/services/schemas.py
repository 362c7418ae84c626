"""Schema files: the types of every data file's columns, written before the first row of that schema.

``modeltap/schemas/<sub>/<rg>/<ws>/<service>/<model>/<version>/<designation>/<16 hex>.json``. The name is
the schema's id, which follows from its columns, so writing one twice writes the same.
"""

from __future__ import annotations

from modeltap.core.key import CollectionKey
from modeltap.core.schema import Schema
from modeltap.errors import Conflict
from modeltap.services.documents import read_document
from modeltap.stores.base import Store


def schema_path(key: CollectionKey, schema_id: str) -> str:
    """Where a schema of a collection stands."""
    return f"modeltap/schemas/{key.folder}/{schema_id}.json"


def ensure_schema(store: Store, key: CollectionKey, schema: Schema) -> None:
    """Make sure that a schema file is there and whole; idempotent, from any number of writers.

    Raises:
        StoreUnavailable, StoreDenied: the store does not take it; ask again later.
    """
    path = schema_path(key, schema.id)
    there = store.head(path)
    if there is not None and read_schema(store, key, schema.id) == schema:
        return
    try:
        store.put(path, schema.to_json().encode("utf-8", "replace"), if_match=there.etag if there else "")
    except Conflict:
        if read_schema(store, key, schema.id) != schema:
            raise


def read_schema(store: Store, key: CollectionKey, schema_id: str) -> Schema | None:
    """Read a schema; None when its file is missing or damaged: then types can only be inferred.

    Args:
        store: where.
        key: the collection.
        schema_id: 16 hex digits, as in the metadata of a data file.

    Raises:
        StoreDenied: no rights, or written by a newer modeltap.
        StoreUnavailable: the store does not answer.
    """
    document = read_document(store, schema_path(key, schema_id))
    if document is None:
        return None
    try:
        schema = Schema(tuple((str(column["name"]), str(column["type"])) for column in document["columns"]))
    except (KeyError, TypeError):
        return None
    return schema if schema.id == schema_id else None
