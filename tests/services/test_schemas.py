"""Schema files: written once, whole, and read back as the same schema."""

from __future__ import annotations

import json

import pytest

from modeltap.core.schema import TYPES, Schema
from modeltap.errors import Conflict, StoreDenied
from modeltap.services.schemas import ensure_schema, read_schema, schema_path
from modeltap.testing import MemoryStore

SCHEMA = Schema(
    (("age", "int64"), ("größe 🙂", "float64"), *((f"c{number}", kind) for number, kind in enumerate(TYPES)))
)


def test_a_schema_is_read_back_equal(store, key):
    ensure_schema(store, key, SCHEMA)

    assert read_schema(store, key, SCHEMA.id) == SCHEMA
    path = f"modeltap/schemas/sub/rg/ws/my service/best%2Fmodel/3/inputs/{SCHEMA.id}.json"
    assert [info.path for info in store.list("")] == [path] == [schema_path(key, SCHEMA.id)]
    assert json.loads(store.read(path))["columns"][0] == {"name": "age", "type": "int64"}


def test_writing_it_again_changes_nothing(store, key):
    ensure_schema(store, key, SCHEMA)
    etag = store.head(schema_path(key, SCHEMA.id)).etag
    ensure_schema(store, key, SCHEMA)

    assert store.head(schema_path(key, SCHEMA.id)).etag == etag


@pytest.mark.parametrize("damage", [b"{", b"{}", b'{"format": 1, "columns": 3}', b'{"format": 1, "columns": []}'])
def test_a_damaged_file_reads_as_none_and_is_written_again(store, key, damage):
    store.put(schema_path(key, SCHEMA.id), damage)

    assert read_schema(store, key, SCHEMA.id) is None
    ensure_schema(store, key, SCHEMA)
    assert read_schema(store, key, SCHEMA.id) == SCHEMA


def test_a_missing_schema_reads_as_none(store, key):
    assert read_schema(store, key, "0123456789abcdef") is None


def test_two_who_write_it_at_once_are_both_content(key):
    class Racing(MemoryStore):
        """Somebody else puts the document just before."""

        def put(self, path, data, *, if_match=None):
            super().put(path, other)
            return super().put(path, data, if_match=if_match)

    other, store = SCHEMA.to_json().encode(), Racing()
    ensure_schema(store, key, SCHEMA)
    assert read_schema(store, key, SCHEMA.id) == SCHEMA

    other, store = b"{", Racing()
    with pytest.raises(Conflict):
        ensure_schema(store, key, SCHEMA)


def test_a_schema_file_of_a_newer_modeltap_is_refused_and_left_alone(store, key):
    store.put(schema_path(key, SCHEMA.id), b'{"format": 2}')

    for ask in (lambda: read_schema(store, key, SCHEMA.id), lambda: ensure_schema(store, key, SCHEMA)):
        with pytest.raises(StoreDenied, match="upgrade modeltap"):
            ask()
    assert store.read(schema_path(key, SCHEMA.id)) == b'{"format": 2}'
