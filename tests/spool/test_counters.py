"""Counters: every row once, whoever counts at the same time."""

from __future__ import annotations

import sys
import threading

import pytest

from modeltap.spool.counters import CollectionCounters, total


@pytest.fixture
def eager_threads():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_new_collection_has_counted_nothing():
    assert CollectionCounters().as_document() == {
        "accepted": 0,
        "rejected": {},
        "dropped": {},
        "off": 0,
        "sampled_out": 0,
        "unpaired_rows": 0,
        "width_mismatch": 0,
    }


def test_rows_are_counted_by_reason():
    counters = CollectionCounters()
    counters.reject("ragged", 2)
    counters.reject("ragged", 3)
    counters.reject("spool_full", 1)
    counters.drop("redacted", 4)

    assert counters.as_document()["rejected"] == {"ragged": 5, "spool_full": 1}
    assert counters.as_document()["dropped"] == {"redacted": 4}


def test_asking_for_a_reason_that_nobody_counted_changes_nothing():
    counters = CollectionCounters()
    document = counters.as_document()
    counters.reject("x", 1)

    assert document["rejected"] == {}
    assert type(document["rejected"]) is dict


@pytest.mark.usefixtures("eager_threads")
def test_threads_that_count_at_once_lose_no_row():
    counters = CollectionCounters()

    def count_many(number: int) -> None:
        for _ in range(10_000):
            counters.reject("ragged", 2)
            counters.reject(f"reason {number % 2}", 1)
            counters.drop("redacted", 1)
            counters.accepted += 3

    threads = [threading.Thread(target=count_many, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert counters.rejected == {"ragged": 80_000, "reason 0": 20_000, "reason 1": 20_000}
    assert counters.dropped == {"redacted": 40_000}
    assert counters.accepted == 120_000


def test_the_total_adds_every_field_and_every_reason():
    first, second = CollectionCounters(), CollectionCounters()
    first.accepted, second.accepted = 5, 7
    first.off, second.sampled_out, second.unpaired_rows, first.width_mismatch = 1, 2, 3, 4
    first.reject("a", 1)
    second.reject("a", 2)
    second.reject("b", 3)
    second.drop("c", 4)
    documents = {"one": first.as_document(), "two": second.as_document()}

    assert total(documents) == {
        "accepted": 12,
        "rejected": {"a": 3, "b": 3},
        "dropped": {"c": 4},
        "off": 1,
        "sampled_out": 2,
        "unpaired_rows": 3,
        "width_mismatch": 4,
    }
    assert documents["one"]["rejected"] == {"a": 1}
    assert total({}) == CollectionCounters().as_document()
