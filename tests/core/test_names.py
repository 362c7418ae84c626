"""Parts of paths and names of columns: whatever comes in, two inputs never share a place."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.names import MAX_PART_BYTES, column_names, decode_part, encode_part
from modeltap.errors import NameRefused, SettingsError

HOSTILE_PARTS = (
    *("..", ".", "...", "/", "//", "a/b", "/a", "a/", "\\", "a\\b", "..\\..", "../..", "./a", "a/../b"),
    *("%2e%2e", "%2E%2E", "%", "%%", "%2", "%zz", "%252e", "a%2fb", "a%00b"),
    *("\0", "a\0b", "\0a", "a\0", "\x01", "\t", "a\nb", "\r", "\x1b[31m", "\x7f"),
    *("C:", "c:", "C:\\a", "a:b", "con", "CON", "nul.txt", "COM1", "lpt9.log", "aux"),
    *("a.", "a..", "a ", "a  ", " a", " ", "  ", ". ", " .", ".a", "a.b", "-", "~", "~root", "$HOME"),
    *("?", "a?b", "a?sv=1&sig=x", "#", "a#b", "*", "a*", "<a>", '"', "'", "|", ";", "&", "`", "$(a)", "!", "{a}"),
    *("\u202e", "a\u202eb", "\u200f", "\u200b", "\ufeff", "\u2028", "\u2029", "\u0085", "\u00a0"),
    *("e\u0301", "\u00e9", "\u00df", "ss", "\u0130", "i", "I", "\U0001f600", "\ud800", "\udfff", "\ufffd"),
    *("Model", "model", "MODEL", "mOdel"),
)
PLAIN = frozenset(string.ascii_letters + string.digits + " !$&'()+,-.;=@[]^_`{}~%")


def sound(encoded: str) -> bool:
    """Whether a text can stand between two slashes in any store, URL or file system."""
    return (
        0 < len(encoded) <= MAX_PART_BYTES
        and PLAIN.issuperset(encoded)
        and encoded not in {".", ".."}
        and not encoded.startswith(" ")
        and not encoded.endswith((" ", "."))
    )


@pytest.mark.parametrize("text", HOSTILE_PARTS, ids=ascii)
def test_a_hostile_part_is_encoded_into_a_harmless_one_and_comes_back(text):
    encoded = encode_part(text)

    assert sound(encoded)
    assert decode_part(encoded) == text


def test_no_two_hostile_parts_share_a_path():
    assert len({encode_part(text) for text in HOSTILE_PARTS}) == len(HOSTILE_PARTS)


@pytest.mark.parametrize(
    "text", ["best_model", "my-service", "v1.2.3", "Model", "a b", "2026", "inputs", "x@y", "a,b=c"]
)
def test_ordinary_names_stay_as_they_are(text):
    assert encode_part(text) == text


def test_case_twins_keep_their_case():
    assert [encode_part(text) for text in ("Model", "model", "MODEL")] == ["Model", "model", "MODEL"]


@pytest.mark.parametrize("text", ["con", "Con.txt", "NUL", "com1", "LPT9.tar.gz", "aux.", "prn"])
def test_names_that_windows_keeps_for_devices_are_encoded(text):
    encoded = encode_part(text)

    assert encoded.startswith(f"%{ord(text[0]):02X}")
    assert decode_part(encoded) == text


def test_an_empty_part_is_refused():
    with pytest.raises(NameRefused, match="at least one character"):
        encode_part("")


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a" * 255, True), ("a" * 256, False), ("a" * 300, False), ("\u00e9" * 42, True), ("\u00e9" * 43, False)],
    ids=["255", "256", "300", "42 of six bytes", "43 of six bytes"],
)
def test_a_part_takes_255_bytes_at_most(text, fits):
    if fits:
        assert decode_part(encode_part(text)) == text
    else:
        with pytest.raises(NameRefused, match="choose a shorter name"):
            encode_part(text)


def test_the_encoding_of_the_last_character_counts_too():
    assert len(encode_part("a" * 252 + ".")) == 255
    with pytest.raises(NameRefused):
        encode_part("a" * 253 + ".")


def test_a_refused_name_is_an_error_of_settings_and_does_not_repeat_all_of_the_name():
    with pytest.raises(SettingsError) as caught:
        encode_part("secret" * 100)
    assert len(str(caught.value)) < 200


def test_decoding_happens_once():
    assert decode_part("%252e%252e") == "%2e%2e"
    assert decode_part(encode_part("%2e%2e")) == "%2e%2e"


def test_a_hundred_thousand_random_parts_are_refused_or_come_back():
    draw = random.Random(7)
    alphabet = [*".%/\\ :?#aA2eE\0", "\u202e", "\u00e9", "\U0001f600", "\ud800", "con"]
    paths: dict[str, str] = {}
    refused = 0
    for _ in range(100_000):
        text = "".join(draw.choices(alphabet, k=draw.randrange(9)))
        try:
            encoded = encode_part(text)
        except NameRefused:
            refused += 1
            continue
        assert sound(encoded), ascii(text)
        assert decode_part(encoded) == text
        assert paths.setdefault(encoded, text) == text
    assert 0 < refused < 20_000


@given(st.text(st.characters(), min_size=1, max_size=60), st.text(st.characters(), min_size=1, max_size=60))
def test_any_two_texts_keep_apart(first, second):
    encoded = []
    for text in (first, second):
        try:
            encoded.append(encode_part(text))
        except NameRefused:
            assert len(text) > 20
            return
        assert sound(encoded[-1])
        assert decode_part(encoded[-1]) == text
    assert (encoded[0] == encoded[1]) == (first == second)


# ---- names of columns


@pytest.mark.parametrize(
    ("given_names", "made"),
    [
        ([], ()),
        (["age", "sex"], ("age", "sex")),
        (["", "a", ""], ("c0", "a", "c2")),
        (["a", "a", "a"], ("a", "a_2", "a_3")),
        (["a", "A", "a"], ("a", "A_2", "a_3")),
        (["a", "a", "a_2"], ("a", "a_2", "a_2_2")),
        (["a_2", "a", "a"], ("a_2", "a", "a_3")),
        (["c1", ""], ("c1", "c1_2")),
        (["$Row", "$", "_$Row"], ("_$Row", "_$", "_$Row_2")),
        (["\u00df", "SS"], ("\u00df", "SS_2")),
        (["\ud800", "?", "\ud801"], ("?", "?_2", "?_3")),
        ([1, 2.5, None, ("x", 1)], ("1", "2.5", "None", "('x', 1)")),
        ([" ", "a b", "a,b", 'a"b', "a\nb"], (" ", "a b", "a,b", 'a"b', "a\nb")),
    ],
    ids=ascii,
)
def test_column_names_follow_the_rules(given_names, made):
    assert column_names(given_names) == made


def test_a_subclass_of_text_becomes_plain_text():
    class Name(str):
        __slots__ = ()

    assert [type(name) for name in column_names([Name("age")])] == [str]


def one_after_the_other(names: list[str]) -> tuple[str, ...]:
    """The rules as they are told: a name that is taken gets the smallest number that is free."""
    made: list[str] = []
    for position, given_name in enumerate(names):
        base = given_name.encode("utf-8", "replace").decode() or f"c{position}"
        base = "_" + base if base.startswith("$") else base
        tries = (base if number == 1 else f"{base}_{number}" for number in range(1, len(names) + 2))
        made.append(next(name for name in tries if name.casefold() not in {other.casefold() for other in made}))
    return tuple(made)


@given(st.lists(st.text(st.sampled_from("aA_2c0$\u00df\ud800"), max_size=4) | st.text(st.characters()), max_size=12))
def test_column_names_are_unique_without_regard_to_case_and_numbered_from_two(names):
    made = column_names(names)

    assert made == one_after_the_other(names)
    assert len({name.casefold() for name in made}) == len(names)
    assert not any(name.startswith("$") or not name for name in made)
    assert all(name.encode() for name in made)


def test_twenty_thousand_equal_names_are_numbered_in_one_go():
    assert column_names(["x"] * 20_000)[-1] == "x_20000"
