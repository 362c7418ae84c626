from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modeltap.telemetry.ids import MAX_CHARACTERS, first_id, safe_id


def test_an_ordinary_id_stays_as_it_is():
    assert safe_id("4bf92f35-77b3 / a:b=c") == "4bf92f35-77b3 / a:b=c"


def test_line_ends_control_and_foreign_characters_are_taken_out():
    assert safe_id(" a\r\nset-cookie: x\x00\x7f\u2028ü ") == "aset-cookie: x"


@given(st.text(max_size=600))
def test_whatever_comes_in_what_goes_out_is_short_and_printable(text: str):
    safe = safe_id(text)
    assert len(safe) <= MAX_CHARACTERS
    assert safe.isascii()
    assert safe == "" or safe.isprintable()


def test_the_first_usable_id_is_taken():
    assert first_id(["", "\r\n", "second", "third"]) == "second"
    assert first_id(["", "ü"]) == ""
