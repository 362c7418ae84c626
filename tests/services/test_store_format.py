"""``store.json``: written once, and a newer one is left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from modeltap.errors import StoreDenied
from modeltap.services.store_format import STORE_DOCUMENT, check_format, ensure_format
from modeltap.stores.local import LocalStore


def test_the_first_who_writes_puts_format_1_and_the_next_ones_leave_it(store):
    ensure_format(store)
    etag = store.head(STORE_DOCUMENT).etag
    ensure_format(store)
    check_format(store)

    assert store.read("modeltap/store.json") == b'{\n "format": 1\n}'
    assert store.head(STORE_DOCUMENT).etag == etag


def test_a_store_without_a_document_may_be_read_and_stays_without(store):
    check_format(store)

    assert list(store.list("")) == []


def test_many_at_once_write_it_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_format(LocalStore(str(tmp_path))), range(16)))

    assert [info.path for info in LocalStore(str(tmp_path)).list("")] == [STORE_DOCUMENT]


@pytest.mark.parametrize("ask", [ensure_format, check_format])
def test_a_newer_format_is_refused_and_left_alone(store, ask):
    store.put(STORE_DOCUMENT, b'{"format": 2, "new": "things"}')

    with pytest.raises(StoreDenied, match=r"its format 2 is newer than 1; .*upgrade modeltap"):
        ask(store)
    assert store.read(STORE_DOCUMENT) == b'{"format": 2, "new": "things"}'


@pytest.mark.parametrize("ask", [ensure_format, check_format])
@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"format": "1"}', b"\xff", b"{}"])
def test_a_damaged_document_is_told_and_left_alone(store, ask, damage):
    store.put(STORE_DOCUMENT, damage)

    with pytest.raises(StoreDenied, match=r"store\.json is damaged; put back"):
        ask(store)
    assert store.read(STORE_DOCUMENT) == damage
