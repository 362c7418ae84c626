"""Collection keys and the documented layout of the store."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modeltap.core.key import (
    DATA_TREE,
    LOSS_TREE,
    TREES,
    CollectionKey,
    day_number,
    day_of,
    file_number,
    key_of_path,
    workspace_parts,
)
from modeltap.errors import NameRefused, SettingsError

KEY = CollectionKey("sub", "rg", "ws", "svc", "best_model", "3", "inputs")
DAY = date(2026, 2, 1)
PARTS = st.text(st.characters(), min_size=1, max_size=12)


def test_the_path_is_the_documented_one_with_two_digit_months_and_days():
    assert KEY.data_file(DAY) == "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv"


def test_further_schemas_of_a_day_have_numbers():
    assert KEY.data_file(DAY, 12) == "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data-12.csv"


def test_losses_stand_in_a_tree_of_their_own_under_the_same_names():
    losses = KEY.in_tree(LOSS_TREE)

    assert losses.data_file(DAY) == "modeltap/losses/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv"
    assert losses.parts == KEY.parts
    assert losses != KEY


def test_a_key_is_equal_to_any_other_of_the_same_names():
    assert CollectionKey.of(KEY.parts) == KEY
    assert len({CollectionKey.of(KEY.parts), KEY}) == 1


def test_the_label_of_a_key_is_for_people():
    assert KEY.label == "best_model/3/inputs"


def test_years_have_four_digits():
    assert KEY.day_folder(date(1, 2, 3)).endswith("/0001/02/03")


@pytest.mark.parametrize("part", ["../x", "a/b", "..", "\0", "C:", "a ", "\u202e"], ids=ascii)
def test_no_name_leaves_its_place_in_the_path(part):
    for position in range(7):
        parts = list(KEY.parts)
        parts[position] = part
        assert CollectionKey.of(parts).data_file(DAY).count("/") == KEY.data_file(DAY).count("/")
        assert ".." not in CollectionKey.of(parts).data_file(DAY).split("/")


def test_a_key_with_a_name_that_no_path_can_hold_is_refused_when_its_path_is_asked_for():
    for part in ("", "x" * 256):
        with pytest.raises(NameRefused):
            _ = CollectionKey("sub", "rg", "ws", "svc", part, "3", "inputs").folder


@given(st.lists(PARTS, min_size=7, max_size=7), st.dates(), st.integers(0, 99), st.sampled_from(TREES))
def test_a_path_says_its_key_day_and_number_again(parts, day, number, tree):
    key = CollectionKey.of(parts, tree)
    try:
        path = key.data_file(day, number)
    except NameRefused:
        assume(False)

    assert key_of_path(path) == (key, day, number)


@given(*[st.lists(st.sampled_from(["a", "A", "/", "a/", "%2F", "..", "%"]) | PARTS, min_size=7, max_size=7)] * 2)
def test_two_keys_never_share_a_folder(first, second):
    assert (CollectionKey.of(first).folder == CollectionKey.of(second).folder) == (first == second)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "modeldata",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/inputs.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data-0.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data-01.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data-\u0663.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv/x",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/05/data.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/2/1/data.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/30/data.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/+2/01/data.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/0\u0661/data.csv",
        "modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/W0/01/data.csv",
        "modeldata//rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv",
        "modeldata/sub/rg/ws/svc/%FF/3/inputs/2026/02/01/data.csv",
        "modeltap/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv",
        "/modeldata/sub/rg/ws/svc/best_model/3/inputs/2026/02/01/data.csv",
        "sub/rg/ws/svc/best_model/3/inputs/2026/02/01/x/data.csv",
    ],
    ids=ascii,
)
def test_any_other_path_is_none_of_ours(path):
    assert key_of_path(path) is None


@given(st.lists(st.text(st.characters(), max_size=6), max_size=14).map("/".join) | st.text(st.characters()))
def test_no_path_at_all_makes_reading_fail(rest):
    assert key_of_path(f"{DATA_TREE}/{rest}") is None or rest.count("/") == 10


@pytest.mark.parametrize(
    ("name", "number"), [("data.csv", 0), ("data-1.csv", 1), ("data-31.csv", 31), ("data-.csv", None)]
)
def test_the_number_of_a_file_is_read_from_its_name(name, number):
    assert file_number(name) == number


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("default", "default", "default")),
        ("s", ("s", "default", "default")),
        ("s/g", ("s", "g", "default")),
        ("s/g/w", ("s", "g", "w")),
        ("/s/g/w/", ("s", "g", "w")),
        ("s//w", ("s", "w", "default")),
    ],
)
def test_a_workspace_has_three_parts(text, parts):
    assert workspace_parts(text) == parts


def test_a_workspace_of_four_parts_is_refused():
    with pytest.raises(SettingsError, match="<subscription>/<resource group>/<workspace>"):
        workspace_parts("a/b/c/d")


@given(st.dates())
def test_days_are_counted_from_1970(day):
    assert day_of(day_number(day)) == day
    assert date(1970, 1, 1) + timedelta(days=day_number(day)) == day
