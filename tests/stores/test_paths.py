"""Paths, fuzzed: whatever passes stays inside the folder, and two paths are two files."""

from __future__ import annotations

import os

import hypothesis.strategies as st
from hypothesis import example, given

from modeltap.core.names import encode_part
from modeltap.errors import StoreRefused
from modeltap.stores.disk import LocalDisk
from modeltap.stores.paths import check_path, check_prefix, is_path
from modeltap.stores.tree import Tree

ROOT = os.sep + os.path.join("srv", "store")
TREE = Tree(ROOT, "file:///srv/store", LocalDisk())
parts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["..", ".", "", "C:", "a", "%2e%2e", "~", "\\..", "modeltap", "positions", ".modeltap-put", "\0"]),
)
paths = st.lists(parts, min_size=1, max_size=5).map("/".join)


@given(paths)
@example("C:/x")
def test_a_path_that_passes_stands_inside_the_folder_and_outside_the_records(path):
    try:
        place = TREE.place(path)
    except StoreRefused:
        return

    assert os.path.normpath(place.data) == place.data
    assert place.data.startswith(ROOT + os.sep)
    assert not place.data.startswith(os.path.join(ROOT, "modeltap", "positions"))
    assert place.position.startswith(os.path.join(ROOT, "modeltap", "positions") + os.sep)
    assert check_path(path) == path


@given(paths, paths)
def test_two_paths_that_pass_are_two_files(one, other):
    if is_path(one) and is_path(other):
        assert (TREE.place(one).data == TREE.place(other).data) == (one == other)


@given(st.text(min_size=1, max_size=40))
def test_every_part_that_modeltap_makes_passes(text):
    path = f"modeldata/{encode_part(text)}/data.csv"

    if encode_part(text) != ".modeltap-put":
        assert check_path(path) == path


@given(paths, st.integers(0, 30))
def test_every_beginning_of_a_path_is_a_prefix(path, length):
    if is_path(path):
        assert check_prefix(path[:length]) == path[:length].rpartition("/")[0]
