"""What a store holds, one line for each collection."""

from __future__ import annotations

from datetime import date

import pytest

from modeltap.stores.urls import open_store
from modeltap.testing import MemoryStore
from modeltap.workspace.listing import COUNTED_BYTES, as_document, list_collections
from support.collected import DAY, key, line, put_rows


@pytest.fixture(params=["memory", "folder"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else open_store(str(tmp_path / "store"))


def test_an_empty_store_has_no_collections(store):
    listing = list_collections(store)
    assert (listing.collections, listing.other_files) == ([], 0)


def test_each_designation_is_one_line_with_days_files_rows_and_bytes(store):
    first = put_rows(store, key(), [line(1, "a", 0, 1, "x"), line(2, "b", 0, 2, "y")])
    second = put_rows(store, key(), [line(3, "c", 0, 3, "z")], number=1)
    put_rows(store, key(), [line(4, "d", 0, 4, "w")], day=date(2026, 11, 23))
    put_rows(store, key("predictions"), [line(1, "a", 0, 1, "x")])
    inputs, predictions = list_collections(store).collections
    assert (inputs.key.designation, len(inputs.files), inputs.rows) == ("inputs", 3, 4)
    assert inputs.days == [DAY, date(2026, 11, 23)]
    assert inputs.size_bytes >= store.head(first).size + store.head(second).size
    assert (predictions.rows, predictions.last_row[:4]) == (1, "2026")


def test_rows_that_the_catalog_does_not_know_are_counted_and_the_last_one_is_found(store):
    put_rows(store, key(), [line(1, "a", 0, 1, "x"), line(90, "b", 0, 2, "y")], catalogued=False)
    (found,) = list_collections(store).collections
    assert (found.rows, found.last_row) == (2, "2026-11-22T00:01:30.000001")


def test_a_catalog_that_is_late_is_not_believed(store):
    path = put_rows(store, key(), [line(1, "a", 0, 1, "x")])
    later = line(90, "b", 0, 2, "y") + line(91, "c", 0, 3, "z")
    store.append(path, later.encode(), position=store.head(path).size, batch_id="later")
    (found,) = list_collections(store).collections
    assert (found.rows, found.last_row) == (3, "2026-11-22T00:01:31.000001")


def test_a_large_file_that_nobody_counted_has_no_count(store):
    rows = [line(second, "a", 0, 1, "x" * 50_000) for second in range(COUNTED_BYTES // 50_000 + 1)]
    put_rows(store, key(), rows, catalogued=False)
    put_rows(store, key("predictions"), rows)
    unknown, known = list_collections(store).collections
    assert (unknown.rows, known.rows) == (None, len(rows))
    assert unknown.last_row == f"2026-11-22T00:01:{len(rows) - 61:02d}.000001"


def test_a_damaged_catalog_hides_nothing(store):
    put_rows(store, key(), [line(5, "a", 0, 1, "x")], catalogued=False)
    store.put(f"modeltap/catalog/{key().folder}/2026-11-22/writer.json", b"{torn")
    (found,) = list_collections(store).collections
    assert (found.rows, found.last_row) == (1, "2026-11-22T00:00:05.000001")


def test_a_workspace_keeps_the_others_out(store):
    put_rows(store, key(), [line(1, "a", 0, 1, "x")])
    put_rows(store, key(workspace="other"), [line(1, "b", 0, 1, "x")])
    (found,) = list_collections(store, ("sub", "rg", "other")).collections
    assert found.key.workspace == "other"


def test_names_come_back_as_they_were_given(store):
    strange = key("in/puts", service="søk %2e", model="..", version="1\x1b[31m")
    put_rows(store, strange, [line(1, "a", 0, 1, "x")])
    (found,) = list_collections(store).collections
    assert found.key == strange


def test_files_that_modeltap_does_not_write_are_counted(store):
    store.put("modeldata/sub/rg/ws/shop/churn/1/inputs/2026/11/22/inputs.csv", b"a,b\n1,2\n")
    listing = list_collections(store)
    assert (listing.collections, listing.other_files) == ([], 1)


def test_the_document_for_programs_has_every_file(store):
    path = put_rows(store, key(), [line(1, "a", 0, 1, "x")])
    (found,) = as_document(list_collections(store))["collections"]
    assert found["files"] == [path]
    assert (found["service"], found["days"], found["rows"]) == ("shop", ["2026-11-22"], 1)
