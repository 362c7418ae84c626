"""Paths: what could lead out of a store, or into its bookkeeping, is refused by every verb."""

from __future__ import annotations

import pytest

from modeltap.errors import StoreRefused

ATTACKS = [
    "", "/", ".", "..", "/etc/passwd", "../outside", "a/../../outside", "a/..", "a/./b", "a//b", "a/", "/a",
    "a\\b", "..\\outside", "a\0b", "a\nb", "a\x7fb", "\ud800",
    "modeltap/positions", "modeltap/positions/modeldata/data.csv.pos", "ModelTap/Positions/x", "a/.modeltap-put",
]  # fmt: skip


@pytest.mark.parametrize("path", ATTACKS, ids=ascii)
def test_every_verb_refuses_a_path_that_no_store_takes(store, path):
    for verb in (
        lambda: store.head(path),
        lambda: store.read(path),
        lambda: store.put(path, b"x"),
        lambda: store.create(path, b"x\r\n", {}),
        lambda: store.append(path, b"x\r\n", position=3, batch_id="a"),
        lambda: store.holds(path, position=0, length=1, sha256="", batch_id="a"),
    ):
        with pytest.raises(StoreRefused, match="choose another name"):
            verb()

    assert list(store.list("")) == []


@pytest.mark.parametrize(
    "path",
    ["a", "a b/c", "...", "a/..b/c..", "~/x", "$HOME/x", "%2e%2e/x", "C:/x", "a:b", "é/ü", "modeltap/positionsx",
     "aux", "a?b", "*", "-rf", "data.csv.pos"],
    ids=ascii,
)  # fmt: skip
def test_other_names_are_taken_as_they_are(store, path):
    store.put(path, b"x")

    assert store.read(path) == b"x"
    assert [info.path for info in store.list("")] == [path]
