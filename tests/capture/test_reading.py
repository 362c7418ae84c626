"""Which reader a value gets, and how little of it is asked for that."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pytest

from modeltap.capture import frames, reading
from modeltap.capture.reading import MAX_READERS, reader_of, readers
from modeltap.capture.telling import described, row_count


def test_a_type_is_looked_at_once():
    asked = []

    class Asked:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            raise AttributeError(name)

    first = reader_of(Asked())
    assert asked
    asked.clear()
    assert reader_of(Asked()) is first
    assert asked == []


def test_types_without_end_are_not_all_remembered_and_keep_out_no_other():
    for number in range(2 * MAX_READERS):
        reader_of(type(f"Type{number}", (), {})())
        assert len(readers) <= MAX_READERS
    found = reader_of(pd.DataFrame())
    assert readers[pd.DataFrame] is found
    assert {dict, list, tuple, float, type(None)} <= set(readers)


def test_a_library_is_known_by_its_types_module_and_its_methods():
    class Own(pd.DataFrame):
        pass

    assert reader_of(pd.DataFrame()) is reader_of(Own()) is frames.read_pandas
    fake = type("Fake", (), {"__module__": "pandas.core"})()
    assert reader_of(fake) is reading._read_single


# ---- what is told of a value that was not taken


def failing(depth: int) -> None:
    if depth:
        failing(depth - 1)
    raise ValueError("SECRET")


@pytest.mark.parametrize("depth", [0, 5, 500])
def test_an_exception_is_told_by_type_and_place(depth: int):
    with pytest.raises(ValueError, match="SECRET") as caught:
        failing(depth)
    line = failing.__code__.co_firstlineno + 3
    assert described(caught.value) == f"ValueError (test_reading.py:{line})"


def test_an_exception_that_was_never_raised_is_told_by_its_type():
    assert described(KeyError("x")) == "KeyError"


def test_an_exception_of_a_type_without_a_name_is_told_all_the_same():
    class Nameless(type):
        @property
        def __name__(cls) -> str:
            raise RuntimeError("no name")

    class Hidden(Exception, metaclass=Nameless):
        pass

    assert described(Hidden()) == "an exception"


class Liar(list):
    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("no items")


@pytest.mark.parametrize(
    ("value", "rows"),
    [([[1], [2, 3]], 2), ([{}, {}], 2), ([1, [2]], 1), ([], 1), (object(), 1), (Liar([[1], [2]]), 2), (sys, 1)],
)
def test_rows_that_were_not_taken_are_counted_as_far_as_they_can_be(value: Any, rows: int):
    assert row_count(value) == rows
