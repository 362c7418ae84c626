"""Instants as text, against the datetime module."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.instants import EPOCH, MICROSECONDS_PER_DAY, instant_text, parse_instant

MOMENTS = st.datetimes()
OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone)


def microseconds_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(MOMENTS)
def test_an_instant_is_told_as_datetime_tells_it_and_read_back(moment):
    text = instant_text(microseconds_of(moment))

    assert text == moment.isoformat(timespec="microseconds")
    assert parse_instant(text) == microseconds_of(moment)


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000"),
        (-1, "1969-12-31T23:59:59.999999"),
        (-1_000_000, "1969-12-31T23:59:59.000000"),
        (999_999, "1970-01-01T00:00:00.999999"),
        (1_795_383_592_656_442, "2026-11-22T21:39:52.656442"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000"),
    ],
)
def test_the_corners_of_time(microseconds, text):
    assert instant_text(microseconds) == text
    assert parse_instant(text) == microseconds


@given(MOMENTS, OFFSETS)
def test_an_offset_counts(moment, offset):
    aware = moment.replace(tzinfo=offset)
    expected = microseconds_of(moment) - offset.utcoffset(None) // timedelta(microseconds=1)

    assert parse_instant(aware.isoformat()) == expected


def test_z_is_utc_and_no_offset_is_utc():
    expected = datetime(2026, 11, 22, 21, 39, 52, tzinfo=UTC).timestamp() * 1_000_000

    assert parse_instant("2026-11-22T21:39:52Z") == parse_instant("2026-11-22T21:39:52") == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00", "2026-11-22T25:00:00", "1795383592", "\0"])
def test_what_is_no_instant_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_instant(text)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text):
    try:
        parse_instant(text)
    except ValueError:
        return


def test_threads_that_tell_the_time_of_different_seconds_do_not_mix_them_up():
    wrong: list[str] = []

    def tell(second: int) -> None:
        expected = f"{(EPOCH + timedelta(seconds=second)).isoformat()}.000005"
        wrong.extend(text for text in (instant_text(second * 1_000_000 + 5) for _ in range(5_000)) if text != expected)

    threads = [threading.Thread(target=tell, args=(1_700_000_000 + number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_a_day_has_as_many_microseconds():
    assert timedelta(microseconds=MICROSECONDS_PER_DAY) == timedelta(days=1)
