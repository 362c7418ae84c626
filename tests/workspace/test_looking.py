"""A look at rows: which collection is meant, and what stands beside it."""

from __future__ import annotations

from datetime import date

import pytest

from modeltap.errors import SettingsError
from modeltap.testing import MemoryStore
from modeltap.workspace.looking import Wish, look, newest_file
from support.collected import SCHEMA, key, line, put_rows


@pytest.fixture
def store():
    store = MemoryStore()
    put_rows(store, key(), [line(1, "a", 0, 1, "x"), line(2, "b", 0, 2, "y")])
    put_rows(store, key("predictions"), [line(1, "a", 0, 10, "no")])
    return store


def test_inputs_are_meant_when_nothing_is_said(store):
    found = look(store, Wish())
    assert found.title == "shop/churn/1/inputs, 2026-11-22"
    assert [row["age"] for row in found.rows] == ["1", "2"]


def test_a_joined_row_says_its_ids_once_and_its_features_by_designation(store):
    first, second = look(store, Wish(join="predictions")).rows
    assert first["$RequestId"] == "a"
    assert (first["inputs.age"], first["predictions.age"], first["predictions.name"]) == ("1", "10", "no")
    assert "predictions.age" not in second


def test_the_last_day_is_meant_and_any_other_can_be_asked_for(store):
    put_rows(store, key(), [line(1, "late", 0, 9, "z")], day=date(2026, 12, 1))
    assert [row["$RequestId"] for row in look(store, Wish()).rows] == ["late"]
    assert len(look(store, Wish(day=date(2026, 11, 22))).rows) == 2
    with pytest.raises(SettingsError, match="no rows on 2026-11-30; there are rows on 2026-11-22, 2026-12-01"):
        look(store, Wish(day=date(2026, 11, 30)))


def test_the_version_with_the_newest_rows_is_meant():
    store = MemoryStore()
    for version, second in (("1", 10), ("2", 30), ("3", 20)):
        put_rows(store, key(version=version), [line(second, f"of {version}", 0, 3, "z")], catalogued=False)
    assert look(store, Wish()).rows[0]["$RequestId"] == "of 2"
    assert look(store, Wish(version="3")).rows[0]["$RequestId"] == "of 3"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"service": "other"}, "several services fit .other, shop.; say which with --service"),
        ({"model": "fraud"}, "several models fit .churn, fraud.; say which with the model's name"),
        ({"workspace": "w2"}, "several workspaces fit .sub/rg/w2, sub/rg/ws.; say which with --workspace"),
    ],
)
def test_it_never_guesses_between(store, parts, message):
    put_rows(store, key(**parts), [line(1, "a", 0, 1, "x")])
    with pytest.raises(SettingsError, match=message):
        look(store, Wish())


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(model="nothing"), "nothing in memory://memory fits"),
        (Wish(designation="labels"), "no designation 'labels'; there are inputs, predictions"),
        (Wish(join="labels"), "the model has no designation 'labels'"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(store, wish, message):
    with pytest.raises(SettingsError, match=message):
        look(store, wish)


def test_the_newest_file_comes_with_its_schema(store):
    schema, path = newest_file(store, Wish(model="churn"))
    assert schema == SCHEMA
    assert path.endswith("/churn/1/inputs/2026/11/22/data.csv")
