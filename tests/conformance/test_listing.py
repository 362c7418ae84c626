"""Listing: every file, at any depth, in the order of the paths' text."""

from __future__ import annotations

import pytest

from modeltap.errors import StoreRefused

PATHS = [
    "modeldata/sub/rg/ws-2/service/data.csv",
    "modeldata/sub/rg/ws/a-b/data.csv",
    "modeldata/sub/rg/ws/a.csv",
    "modeldata/sub/rg/ws/a/b/c/data-1.csv",
    "modeldata/sub/rg/ws/a/b/c/data-10.csv",
    "modeldata/sub/rg/ws/a/b/c/data-2.csv",
    "modeldata/sub/rg/ws/a/b/c/data.csv",
    "modeldata/sub/rg/ws/a0/data.csv",
    "modeldata/sub/rg/ws/ünïcode %41 & name/data.csv",
    "modeltap/store.json",
]


def listed(store, prefix):
    return [info.path for info in store.list(prefix)]


@pytest.fixture
def filled(store):
    for number, path in enumerate(reversed(PATHS)):
        if path.endswith(".json"):
            store.put(path, b"{}")
        else:
            store.create(path, b"header\r\n", {"schema": str(number)})
    return store


def test_an_empty_store_lists_nothing(store):
    assert listed(store, "") == []
    assert listed(store, "modeldata/") == []


def test_all_files_are_listed_in_the_order_of_their_paths(filled):
    assert listed(filled, "") == sorted(PATHS)


@pytest.mark.parametrize(
    "prefix",
    ["modeldata/", "modeldata/sub/rg/ws", "modeldata/sub/rg/ws/", "modeldata/sub/rg/ws/a", "modeldata/sub/rg/ws/a/",
     "modeldata/sub/rg/ws/a/b/c/data-1", PATHS[3], "m", "modeltap/s", "nothing", PATHS[3] + "/"],
)  # fmt: skip
def test_a_prefix_is_any_beginning_of_the_text(filled, prefix):
    assert listed(filled, prefix) == [path for path in sorted(PATHS) if path.startswith(prefix)]


def test_a_listing_says_what_head_says(filled):
    path = "modeldata/sub/rg/ws/a/b/c/data.csv"
    filled.append(path, b"row\r\n", position=8, batch_id="a")

    infos = list(filled.list(""))

    assert infos == [filled.head(info.path) for info in infos]
    assert {info.path: info.size for info in infos}[path] == 13


def test_the_bookkeeping_of_a_store_is_not_listed(filled):
    assert listed(filled, "modeltap/") == ["modeltap/store.json"]
    assert listed(filled, "modeltap/positions/") == []
    assert listed(filled, "modeltap/positions/modeldata/sub") == []


@pytest.mark.parametrize("prefix", ["/", "/modeldata", "../", "modeldata/../", "modeldata//", "a\\b", "a\0b"])
def test_a_prefix_that_begins_no_path_is_refused_at_once(filled, prefix):
    with pytest.raises(StoreRefused):
        filled.list(prefix)
