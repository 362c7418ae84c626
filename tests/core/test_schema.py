"""Schemas: equal columns have equal ids, anywhere and for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.schema import NULL, TYPES, Schema

COLUMNS = st.lists(st.tuples(st.text(max_size=8), st.sampled_from((*TYPES, NULL))), max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("columns", "identity"),
    [
        ((), "4f53cda18c2baa0c"),
        ((("age", "int64"),), "02ae2f33e8ab2068"),
        ((("age", "int64"), ("n\u00e4me", "string")), "2e0b01633962ea39"),
    ],
)
def test_an_id_never_changes(columns, identity):
    assert Schema(columns).id == identity


@given(COLUMNS, COLUMNS)
def test_ids_are_equal_for_equal_columns_only(first, second):
    assert (Schema(first).id == Schema(second).id) == (first == second)


def test_order_and_type_make_another_schema():
    one = Schema((("a", "int64"), ("b", "string")))

    assert len({one.id, Schema(one.columns[::-1]).id, Schema((("a", "float64"), ("b", "string"))).id}) == 3


@given(COLUMNS)
def test_a_schema_file_is_read_back(columns):
    schema = Schema(columns)

    assert Schema.from_json(schema.to_json()) == schema
    assert Schema.from_json(schema.to_json()).id == schema.id


def test_names_and_types_stand_in_order():
    schema = Schema((("b", "int64"), ("a", "string")))

    assert (schema.names, schema.types) == (("b", "a"), ("int64", "string"))


def test_a_column_without_a_value_yet_becomes_text_in_a_file():
    assert Schema((("a", NULL), ("b", "int64"))).settled() == Schema((("a", "string"), ("b", "int64")))
    assert NULL not in TYPES
