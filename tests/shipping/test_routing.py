"""Which file takes the rows of a frame schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.schema import NULL, TYPES, Schema
from modeltap.shipping.routing import Fit, New, Shape, TooMany, choose, fit


def schema(*types, names="abcdef"):
    return Schema(tuple(zip(names, types, strict=False)))


def shape(*types, loose=False, names="abcdef"):
    return Shape(schema(*types, names=names), loose)


def test_the_first_schema_of_a_day_gets_the_first_file():
    assert choose(shape("float64"), {}) == New(0, schema("float64"))


def test_the_same_schema_goes_to_its_file():
    assert choose(shape("float64"), {0: schema("string"), 1: schema("float64")}) == Fit(1)


def test_another_order_fits():
    assert choose(shape("int64", "string", names="ba"), {0: schema("string", "int64")}) == Fit(0)


def test_the_closest_fit_wins_then_the_lowest_number():
    files = {0: schema("string", "int64"), 1: schema("int64", "string", names="ba"), 2: schema("string", "int64")}
    assert choose(shape("int64", "string", names="ba"), files) == Fit(1)
    assert choose(shape("string", "int64"), files) == Fit(0)


def test_a_column_without_values_fits_any_type():
    assert choose(shape(NULL, "int64"), {0: schema("timestamp", "int64")}) == Fit(0)


def test_another_type_another_name_and_another_width_do_not_fit():
    for other in (schema("string"), schema("int64", names="z"), schema("int64", "int64"), None):
        assert choose(shape("int64"), {0: other}) == New(1, schema("int64"))


def test_untyped_whole_numbers_fit_a_file_of_floats_and_typed_ones_do_not():
    assert choose(shape("int64", loose=True), {0: schema("float64")}) == Fit(0)
    assert choose(shape("int64"), {0: schema("float64")}) == New(1, schema("int64"))


def test_floats_never_fit_a_file_of_whole_numbers():
    assert choose(shape("float64", loose=True), {0: schema("int64")}) == New(1, schema("float64"))


def test_a_new_file_takes_what_the_others_of_the_day_would_take():
    files = {0: schema("int64", "float64", "string")}
    assert choose(shape("float64", "int64", NULL, loose=True), files) == New(1, schema("float64", "float64", "string"))
    assert choose(shape("float64", "int64", NULL), files) == New(1, schema("float64", "int64", "string"))


def test_a_new_file_takes_what_waits():
    waiting = [shape("timestamp", "float64", loose=True)]
    assert choose(shape(NULL, "int64", loose=True), {}, waiting) == New(0, schema("timestamp", "float64"))


def test_a_column_that_nobody_has_seen_a_value_of_becomes_text():
    assert choose(shape(NULL), {}) == New(0, schema("string"))


def test_a_foreign_file_keeps_its_number():
    assert choose(shape("int64"), {0: None, 2: None}) == New(1, schema("int64"))


def test_a_day_has_so_many_schemas_and_no_more():
    files = {number: schema("int64", names=f"x{number}") for number in range(32)}
    assert choose(shape("string"), files) == TooMany()
    assert choose(shape("int64", names="x"), files) == Fit(0)


kinds = st.sampled_from([*TYPES, NULL])
shapes = st.builds(
    lambda types, loose: shape(*types, loose=loose), st.lists(kinds, min_size=1, max_size=5), st.booleans()
)


@given(st.lists(shapes, max_size=12))
def test_every_row_finds_a_file_that_takes_it_and_finds_it_again(found):
    files = {}
    for one in found:
        chosen = choose(one, files, found)
        if isinstance(chosen, New):
            assert NULL not in chosen.schema.types
            files[chosen.number] = chosen.schema
            assert fit(one, chosen.schema) is not None
        assert isinstance(choose(one, files), Fit)


@given(st.lists(st.lists(st.sampled_from(["int64", "float64", NULL]), min_size=4, max_size=4), min_size=1, max_size=60))
def test_untyped_numbers_of_f_columns_take_f_plus_one_files_at_most(rows):
    files = {}
    for types in rows:
        chosen = choose(shape(*types, loose=True), files)
        if isinstance(chosen, New):
            files[chosen.number] = Schema(
                tuple((name, "int64" if kind == "string" else kind) for name, kind in chosen.schema.columns)
            )
    assert len(files) <= 5


@pytest.mark.parametrize("loose", [True, False])
def test_a_choice_does_not_depend_on_the_order_of_the_files(loose):
    files = {0: schema("float64", "string"), 1: schema("int64", "string"), 2: schema("int64", "binary")}
    one = shape("int64", NULL, loose=loose)
    assert choose(one, files) == choose(one, dict(reversed(files.items()))) == Fit(1)
