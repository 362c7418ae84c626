"""Collected data in a store, made through the store's own verbs: what a shipper would have left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from modeltap.core.dialect import LEADING
from modeltap.core.key import CollectionKey
from modeltap.core.schema import Schema
from modeltap.services.catalog import CatalogWriter, FileFacts
from modeltap.services.schemas import ensure_schema
from modeltap.stores.base import Store

DAY = date(2026, 11, 22)
SCHEMA = Schema((("age", "int64"), ("name", "string")))


def key(designation: str = "inputs", **parts: str) -> CollectionKey:
    named = {"subscription": "sub", "resource_group": "rg", "workspace": "ws", "service": "shop", "model": "churn"}
    return CollectionKey(**{**named, "version": "1", "designation": designation, **parts})


def line(second: int, request: str, row: int | str, *cells: object) -> str:
    """One row of a file: instant, ids, then cells as they stand in CSV."""
    minutes, seconds = divmod(second, 60)
    instant = f"2026-11-22T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.000001"
    return ",".join(str(cell) for cell in (instant, "", request, "", row, "100.0", *cells)) + "\r\n"


def put_rows(
    store: Store,
    of: CollectionKey,
    lines: Sequence[str],
    *,
    schema: Schema = SCHEMA,
    day: date = DAY,
    number: int = 0,
    catalogued: bool = True,
) -> str:
    """Make one data file; gives its path."""
    path = of.data_file(day, number)
    header = (",".join((*LEADING, *schema.names)) + "\r\n").encode()
    ensure_schema(store, of, schema)
    store.create(path, header, {"schema": schema.id})
    body = "".join(lines).encode()
    if body:
        store.append(path, body, position=len(header), batch_id=f"batch of {path}")
    if catalogued:
        catalog = CatalogWriter(store, "host-agent")
        catalog.add(path, FileFacts(schema.id, len(lines), len(body), 1_795_305_600_000_000, 1_795_305_700_000_000))
        catalog.put_changed()
    return path
