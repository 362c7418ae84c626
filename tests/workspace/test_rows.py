"""Rows as text: the first ones, the last ones, joined."""

from __future__ import annotations

import pytest

from modeltap.testing import MemoryStore
from modeltap.workspace.rows import TAIL_BYTES, first_rows, join_rows, last_rows, last_timestamp, read_rows
from support.collected import key, line, put_rows


@pytest.fixture
def store():
    return MemoryStore()


def info_of(store, path):
    return store.head(path)


def test_rows_are_read_with_their_columns(store):
    info = info_of(store, put_rows(store, key(), [line(1, "a", 0, 41, "Ada"), line(2, "b", 0, 42, '"x, ""y"""')]))
    rows = list(read_rows(store, info))
    assert [(row["$RequestId"], row["age"], row["name"]) for row in rows] == [("a", "41", "Ada"), ("b", "42", 'x, "y"')]


def test_first_and_last_rows_come_from_all_files_in_the_order_of_time(store):
    one = info_of(store, put_rows(store, key(), [line(second, f"r{second}", 0, 1, "x") for second in (1, 4, 7)]))
    two = info_of(store, put_rows(store, key(), [line(second, f"r{second}", 0, 1, "x") for second in (2, 8)], number=1))
    assert [row["$RequestId"] for row in first_rows(store, [one, two], 3)] == ["r1", "r2", "r4"]
    assert [row["$RequestId"] for row in last_rows(store, [one, two], 3)] == ["r4", "r7", "r8"]
    assert last_rows(store, [one, two], 0) == []


def test_the_last_rows_of_a_long_file_are_read_from_its_end(store):
    count = 4 * TAIL_BYTES // 60
    info = info_of(
        store, put_rows(store, key(), [line(second, f"r{second}", 0, second, "x") for second in range(count)])
    )
    assert info.size > 3 * TAIL_BYTES
    assert [row["age"] for row in last_rows(store, [info], 2)] == [str(count - 2), str(count - 1)]
    assert last_timestamp(store, info).startswith("2026-11-22T")


def test_a_cell_that_looks_like_the_beginning_of_a_row_is_no_row(store):
    forged = f'"{line(1, "forged", 0, 1, "x") * 2000}"'
    info = info_of(store, put_rows(store, key(), [line(1, "a", 0, 1, forged), line(2, "b", 0, 2, forged)]))
    assert info.size > 2 * TAIL_BYTES
    (row,) = last_rows(store, [info], 1)
    assert (row["$RequestId"], row["age"]) == ("b", "2")


def test_a_cell_of_a_megabyte_is_read(store):
    info = info_of(store, put_rows(store, key(), [line(1, "a", 0, 1, "x" * 1_000_000)]))
    (row,) = first_rows(store, [info], 1)
    assert len(row["name"]) == 1_000_000


def test_partners_are_found_by_request_and_row(store):
    inputs = info_of(
        store, put_rows(store, key(), [line(1, "a", 0, 1, "x"), line(1, "a", 1, 2, "y"), line(2, "b", 0, 3, "z")])
    )
    outputs = info_of(store, put_rows(store, key("predictions"), [line(3, "b", 0, 30, ""), line(3, "a", 1, 20, "")]))
    rows = first_rows(store, [inputs], 3)
    assert [row and row["age"] for row in join_rows(store, rows, [outputs])] == [None, "20", "30"]


def test_rows_of_another_width_keep_what_they_have(store):
    store.put("modeldata/foreign.csv", b"$Timestamp,a\n2026-11-22T00:00:01,1,surplus\n2026-11-22T00:00:02\n")
    wide, narrow = read_rows(store, info_of(store, "modeldata/foreign.csv"))
    assert wide == {"$Timestamp": "2026-11-22T00:00:01", "a": "1", "c2": "surplus"}
    assert narrow == {"$Timestamp": "2026-11-22T00:00:02"}


def test_bytes_that_are_no_text_are_shown_not_raised(store):
    store.put("modeldata/foreign.csv", b"a,b\n\xff\xfe,1\n")
    (row,) = read_rows(store, info_of(store, "modeldata/foreign.csv"))
    assert row["b"] == "1"


def test_only_committed_rows_are_read(store):
    path = put_rows(store, key(), [line(1, "a", 0, 1, "x")])
    seen = info_of(store, path)
    store.append(path, line(2, "b", 0, 2, "y").encode(), position=seen.size, batch_id="later")
    assert [row["$RequestId"] for row in read_rows(store, seen)] == ["a"]
