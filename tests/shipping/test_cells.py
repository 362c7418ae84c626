"""The text of one cell."""

from __future__ import annotations

import csv
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.shipping.cells import float_text, percent_text, quoted, timestamp_text
from support.frames import FLOATS, HOSTILE_TEXTS, TEXTS


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(FLOATS)
def test_a_float_reads_back_to_the_same_bits(value: float):
    if value == value:
        assert bits(float(float_text(value))) == bits(value)
    else:
        assert float_text(value) == "NaN"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3.0"),
        (-0.0, "-0.0"),
        (1e-4, "0.0001"),
        (1e-5, "0.00001"),
        (-1.234e-5, "-0.00001234"),
        (9.99e-6, "9.99e-6"),
        (1e-10, "1e-10"),
        (5e-324, "5e-324"),
        (9999999999999998.0, "9999999999999998.0"),
        (1e16, "1e+16"),
        (-1.5e300, "-1.5e+300"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
    ],
)
def test_a_float_has_one_form(value: float, text: str):
    assert float_text(value) == text


@given(TEXTS)
def test_a_quoted_text_reads_back(text: str):
    row = f"1,{quoted(text)},2\r\n"
    (cells,) = csv.reader([row], strict=True)
    assert cells == ["1", text, "2"]


def test_only_texts_that_need_quotes_have_them():
    needy = {text for text in HOSTILE_TEXTS if quoted(text) != text}
    assert needy == {text for text in HOSTILE_TEXTS if not text or set(text) & set(',"\r\n')}


@pytest.mark.parametrize(
    ("percent", "text"),
    [(100.0, "100"), (12.5, "12.5"), (0.1, "0.1"), (1e-7, "0.0000001"), (33.333333333333336, "33.333333333333336")],
)
def test_a_percentage_is_written_in_plain_decimals(percent: float, text: str):
    assert percent_text(percent) == text


@given(st.floats(min_value=0, max_value=100))
def test_a_percentage_reads_back_exactly(percent: float):
    text = percent_text(percent)
    assert float(text) == percent
    assert "e" not in text


@pytest.mark.parametrize("percent", [float("nan"), float("inf")])
def test_a_percentage_that_is_no_number_is_refused(percent: float):
    with pytest.raises(ValueError, match="sample percent"):
        percent_text(percent)


def test_a_timestamp_always_has_six_digits():
    assert timestamp_text(1_795_383_592_656_442) == "2026-11-22T21:39:52.656442"
    assert timestamp_text(0) == "1970-01-01T00:00:00.000000"
    assert timestamp_text(-1) == "1969-12-31T23:59:59.999999"
