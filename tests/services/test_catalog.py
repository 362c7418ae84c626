"""The catalog: each writer tells what it has shipped, and all of them together are the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from modeltap.core.instants import parse_instant
from modeltap.core.key import LOSS_TREE
from modeltap.errors import SettingsError, StoreUnavailable
from modeltap.services.catalog import (
    KEPT_DAYS,
    CatalogWriter,
    DayCatalog,
    FileFacts,
    catalog_path,
    read_catalog,
    read_day,
)
from modeltap.testing import MemoryStore

DAY = date(2026, 11, 22)
NOON = parse_instant("2026-11-22T12:00:00")
DOCUMENT = "modeltap/catalog/sub/rg/ws/my service/best%2Fmodel/3/inputs/2026-11-22/host-1.json"


def facts(rows=2, first=NOON, last=NOON + 5, size_bytes=100, schema="0123456789abcdef"):
    return FileFacts(schema, rows, size_bytes, first, last)


some_facts = st.builds(
    FileFacts, st.just("x" * 16), st.integers(0, 10**9), st.integers(0, 10**12), st.integers(0, 4 * 10**15),
    st.integers(0, 4 * 10**15),
)  # fmt: skip


def test_a_document_says_files_schema_rows_bytes_and_the_first_and_last_row(store, key):
    writer = CatalogWriter(store, "host-1")
    writer.add(key.data_file(DAY), facts())

    assert writer.put_changed() == 1
    assert json.loads(store.read(DOCUMENT)) == {
        "format": 1,
        "files": {
            key.data_file(DAY): {
                "schema": "0123456789abcdef",
                "rows": 2,
                "bytes": 100,
                "first_row": "2026-11-22T12:00:00.000000",
                "last_row": "2026-11-22T12:00:00.000005",
            }
        },
    }


def test_batches_add_up_and_only_what_changed_is_put(store, key):
    writer = CatalogWriter(store, "host-1")
    for number in range(10):
        writer.add(key.data_file(DAY), facts(first=NOON - number, last=NOON + number))
        writer.add(key.data_file(DAY, 1), facts(rows=1))
    writer.add(key.data_file(date(2026, 11, 23)), facts(rows=7))

    assert writer.put_changed() == 2
    assert writer.put_changed() == 0
    files = read_day(store, key, DAY).files
    assert files[key.data_file(DAY)] == facts(rows=20, first=NOON - 9, last=NOON + 9, size_bytes=1000)
    assert files[key.data_file(DAY, 1)].rows == 10


def test_a_writer_that_starts_again_goes_on_from_its_own_document(store, key):
    for _ in range(3):
        writer = CatalogWriter(store, "host-1")
        writer.add(key.data_file(DAY), facts())
        writer.put_changed()

    assert read_day(store, key, DAY).files[key.data_file(DAY)].rows == 6


def test_the_documents_of_all_writers_are_added_up(store, key):
    for name in ("host-1", "host-2", "odd/../name"):
        writer = CatalogWriter(store, name)
        writer.add(key.data_file(DAY), facts())
        writer.put_changed()

    assert len(list(store.list("modeltap/catalog/"))) == 3
    assert read_day(store, key, DAY).files[key.data_file(DAY)].rows == 6


def test_the_whole_catalog_is_read_by_collection_and_day(store, key):
    writer, other = CatalogWriter(store, "a"), replace(key, service="another", designation="predictions")
    for path in (key.data_file(DAY), key.data_file(date(2026, 1, 2)), other.data_file(DAY)):
        writer.add(path, facts())
    writer.put_changed()

    found = [(found_key, day, catalog.files) for found_key, day, catalog in read_catalog(store)]
    assert [(found_key, day) for found_key, day, _ in found] == [(other, DAY), (key, date(2026, 1, 2)), (key, DAY)]
    assert found[2][2] == {key.data_file(DAY): facts()}
    assert [found_key for found_key, _, _ in read_catalog(store, key.parts[:4])] == [key, key]
    assert list(read_catalog(store, ("sub", "rg", "w"))) == []


def test_losses_stand_in_the_document_of_their_collection(store, key):
    writer, losses = CatalogWriter(store, "host-1"), replace(key, tree=LOSS_TREE)
    writer.add(key.data_file(DAY), facts())
    writer.add(losses.data_file(DAY), facts(rows=1))
    writer.put_changed()

    assert catalog_path(losses, DAY, "host-1") == catalog_path(key, DAY, "host-1") == DOCUMENT
    assert set(read_day(store, key, DAY).files) == {key.data_file(DAY), losses.data_file(DAY)}


@pytest.mark.parametrize(
    "damage",
    [b"{", b"[]", b'{"format": 1}', b'{"format": 1, "files": []}', b'{"format": 1, "files": {"a": {"rows": "x"}}}'],
)
def test_a_damaged_document_tells_nothing_and_hides_no_other(store, key, damage):
    writer = CatalogWriter(store, "host-1")
    writer.add(key.data_file(DAY), facts())
    writer.put_changed()
    store.put(DOCUMENT.replace("host-1", "host-2"), damage)

    assert read_day(store, key, DAY).files == {key.data_file(DAY): facts()}
    other = CatalogWriter(store, "host-2")
    other.add(key.data_file(DAY), facts())
    other.put_changed()
    assert read_day(store, key, DAY).files[key.data_file(DAY)].rows == 4


def test_strange_files_in_the_catalog_are_passed_over(store):
    for path in ("modeltap/catalog/x.json", "modeltap/catalog/a/b/c/d/e/f/g/yesterday/x.json"):
        store.put(path, b"{}")

    assert list(read_catalog(store)) == []


def test_a_path_that_is_not_of_a_data_file_is_refused(store):
    with pytest.raises(SettingsError, match="not the path of a data file"):
        CatalogWriter(store, "host-1").add("modeldata/x.csv", facts())


def test_what_could_not_be_put_is_put_later(key):
    class Away(MemoryStore):
        away = True

        def put(self, path, data, *, if_match=None):
            if self.away:
                raise StoreUnavailable("away")
            return super().put(path, data, if_match=if_match)

    store = Away()
    writer = CatalogWriter(store, "host-1")
    writer.add(key.data_file(DAY), facts())
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            writer.put_changed()
    store.away = False

    assert writer.put_changed() == 1
    assert read_day(store, key, DAY).files == {key.data_file(DAY): facts()}


def test_a_writer_remembers_no_more_than_a_bounded_number_of_days(store, key):
    writer = CatalogWriter(store, "host-1")
    days = [date.fromordinal(DAY.toordinal() + number) for number in range(KEPT_DAYS + 20)]
    for _ in range(2):
        for day in days:
            writer.add(key.data_file(day), facts())
        writer.put_changed()

    assert len(writer._days) == KEPT_DAYS
    assert {catalog.files[key.data_file(day)].rows for _, day, catalog in read_catalog(store)} == {4}


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), some_facts), max_size=8), st.integers(0, 8))
def test_the_sum_over_writers_does_not_depend_on_who_wrote_what(added, split):
    together, one, other = DayCatalog(), DayCatalog(), DayCatalog()
    for number, (path, found) in enumerate(added):
        together.add(path, found)
        (one if number < split else other).add(path, found)

    read = [DayCatalog.from_document(json.loads(catalog.encoded())) for catalog in (one, other)]
    read[0].merge(read[1])
    assert read[0].files == together.files
