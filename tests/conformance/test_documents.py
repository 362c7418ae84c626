"""Documents: replaced whole, guarded by their ETags."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from modeltap.errors import Conflict

PATH = "modeltap/services/sub/rg/ws/service.json"


def test_a_document_is_read_back_as_it_was_put(store):
    info = store.put(PATH, b'{"collect": true}')

    assert (info.path, info.size, dict(info.metadata)) == (PATH, 17, {})
    assert store.head(PATH) == info
    assert store.read(PATH) == b'{"collect": true}'
    assert store.read(PATH, 1, 9) == b'"collect"'


def test_a_document_is_replaced_as_a_whole(store):
    store.put(PATH, b"a long first version")
    store.put(PATH, b"short")

    assert store.read(PATH) == b"short"


def test_put_on_condition_that_nothing_is_there_succeeds_once(store):
    store.put(PATH, b"first", if_match="")

    with pytest.raises(Conflict, match="putting"):
        store.put(PATH, b"second", if_match="")
    assert store.read(PATH) == b"first"


def test_put_on_condition_of_an_etag_needs_that_very_document(store):
    first = store.put(PATH, b"first")
    second = store.put(PATH, b"second", if_match=first.etag)

    with pytest.raises(Conflict, match="putting"):
        store.put(PATH, b"third", if_match=first.etag)
    assert store.put(PATH, b"fourth", if_match=second.etag)
    assert store.read(PATH) == b"fourth"


def test_put_on_condition_of_an_etag_fails_when_nothing_is_there(store):
    with pytest.raises(Conflict):
        store.put(PATH, b"first", if_match="1-1")

    assert store.head(PATH) is None


def test_documents_put_within_one_tick_of_the_clock_have_different_etags(store):
    etags = [store.put(PATH, b"x").etag for _ in range(200)]

    assert len(set(etags)) == 200
    assert store.head(PATH).etag == etags[-1]


def test_only_one_of_many_who_read_the_same_etag_replaces_the_document(backend):
    etag = backend.open().put(PATH, b"0").etag

    def replace(number):
        try:
            backend.open().put(PATH, b"%d" % number, if_match=etag)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(replace, range(1, 33)) if number is not None]

    assert len(winners) == 1
    assert backend.open().read(PATH) == b"%d" % winners[0]


def test_counting_up_by_read_and_conditional_put_loses_no_count(backend):
    backend.open().put(PATH, b"0")

    def count(_):
        store = backend.open()
        while True:
            info = store.head(PATH)
            number = int(store.read(PATH))
            if store.head(PATH).etag != info.etag:
                continue
            try:
                return store.put(PATH, b"%d" % (number + 1), if_match=info.etag)
            except Conflict:
                continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))

    assert backend.open().read(PATH) == b"40"


def test_a_reader_never_sees_half_of_a_document(backend):
    versions = [b"%d" % number * (50_000 + number) for number in range(10)]
    backend.open().put(PATH, versions[0])

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [backend.open().put(PATH, version) for version in versions * 4])
        seen = {backend.open().read(PATH)}
        while not writing.done():
            seen.add(backend.open().read(PATH))
        writing.result()

    assert seen <= set(versions)


def test_a_document_does_not_take_the_place_of_a_data_file(store):
    store.create("modeldata/data.csv", b"a\r\n", {})

    for condition in (None, "", store.head("modeldata/data.csv").etag):
        with pytest.raises(Conflict):
            store.put("modeldata/data.csv", b"other", if_match=condition)
    assert store.read("modeldata/data.csv") == b"a\r\n"
