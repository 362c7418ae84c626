"""A look without a lock, while writers are between any two of its steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modeltap.stores.disk import LocalDisk
from modeltap.stores.local import LocalStore
from modeltap.stores.position import NO_SLOTS, SLOTS_END, SLOTS_START
from modeltap.stores.standing import look, plain_stat, read_record
from modeltap.stores.tree import Tree

PATH, HEADER, ROWS = "modeldata/day/data.csv", b"a,b\r\n", b"1,2\r\n"


@pytest.fixture
def place(tmp_path):
    return Tree(str(tmp_path), "file://", LocalDisk()).place(PATH)


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path))


def look_while(place, *, before_record=None, after_record=None):
    """Look, while something happens before or after the position file is read for the first time."""
    happened = []

    def recorded():
        if before_record and not happened:
            happened.append(before_record())
        record = read_record(place)
        if after_record and not happened:
            happened.append(after_record())
        return record

    return look(place, lambda: plain_stat(place.data), recorded)


def test_a_file_that_grows_between_its_size_and_its_record_is_told_as_it_is_now(store, place):
    store.create(PATH, HEADER, {"schema": "x"})

    standing = look_while(place, before_record=lambda: store.append(PATH, ROWS, position=5, batch_id="a"))

    assert (standing.info.size, standing.info.metadata) == (10, {"schema": "x"})


def test_a_file_whose_creation_ends_during_the_look_is_not_taken_for_somebody_else_s(store, place):
    """The record is read without a commit; then the header is committed, and a batch behind it."""
    store.create(PATH, HEADER, {"schema": "x"})
    record = Path(place.position)
    finished = record.read_bytes()
    record.write_bytes(finished[:SLOTS_START] + NO_SLOTS + finished[SLOTS_END:])

    def finish():
        record.write_bytes(finished)
        store.append(PATH, ROWS, position=5, batch_id="a")

    standing = look_while(place, after_record=finish)

    assert (standing.info.size, standing.info.metadata) == (10, {"schema": "x"})


def test_a_file_that_is_removed_during_the_look_is_absent_or_told_as_it_was(store, place):
    store.create(PATH, HEADER, {})

    standing = look_while(place, before_record=lambda: os.unlink(place.data))

    assert standing is None or standing.info.size == 5
