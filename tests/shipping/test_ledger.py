"""The ledger's lines and the state that follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.errors import FormatTooNew
from modeltap.shipping.batch import Batch, decode_file, encode_front
from modeltap.shipping.ledger import LedgerState, damaged, encode_line, intent, replay, settled, withdrawn
from support.shippers import INPUTS


def batch(identity="a" * 32, start=10, end=20, group="g1", segment="h-1-a-r.0.seg", rows=3):
    return Batch(
        id=identity,
        path="modeldata/x/data.csv",
        position=100,
        length=5,
        sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ranges={segment: {group: (start, end)}},
        key=INPUTS,
        day=20_779,
        schema="0123456789abcdef",
        rows={"h-1-a-r": rows},
        first_us=1,
        last_us=2,
    )


def lines(*records):
    return b"".join(map(encode_line, records))


FIRST, SECOND = batch(), batch("b" * 32, 20, 30)
RECORDS = [
    {"record": "ledger", "format": 1},
    intent(FIRST),
    settled(FIRST, "shipped"),
    intent(SECOND),
    damaged("h-1-a-r.0.seg", 40, 50, "damaged"),
    damaged("h-1-a-r.0.seg", 50, 60, "undecodable", 2),
]


def test_a_batch_reads_back_from_its_line_and_from_its_file():
    assert Batch.from_document(intent(FIRST)["batch"]) == FIRST
    assert decode_file(encode_front(FIRST) + b"hello") == (FIRST, b"hello")


def test_what_is_open_done_and_counted_follows_from_the_lines():
    state = replay(lines(*RECORDS))
    assert state.open == {SECOND.id: SECOND}
    assert state.done == {"h-1-a-r.0.seg": {"g1": 20}}
    assert state.counts.shipped == {"h-1-a-r": 3}
    assert state.counts.quarantined == {"h-1-a-r": 2}
    assert state.counts.damaged == {"damaged": 10, "undecodable": 10}
    assert state.knows_damage("h-1-a-r.0.seg", 42, 58)
    assert not state.knows_damage("h-1-a-r.0.seg", 42, 61)


def test_reading_the_lines_twice_counts_once():
    assert replay(lines(*RECORDS, *RECORDS[1:])) == replay(lines(*RECORDS))


def test_an_intent_that_moves_is_one_batch():
    assert replay(lines(intent(FIRST), intent(FIRST.at(500)))).open[FIRST.id].position == 500


def test_a_batch_that_is_withdrawn_is_open_no_more():
    state = replay(lines(intent(FIRST), withdrawn(FIRST.id)))
    assert not state.open
    assert not state.done


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        ("shipped", ("shipped", {"h-1-a-r": 3})),
        ("refused", ("quarantined", {"h-1-a-r": 3})),
        ("undetermined", ("quarantined", {"h-1-a-r": 3})),
        ("too_many_schemas", ("dropped", {"too_many_schemas": 3})),
    ],
)
def test_every_outcome_is_counted_and_done(outcome, counted):
    state = replay(lines(settled(FIRST, outcome)))
    assert getattr(state.counts, counted[0]) == counted[1]
    assert state.done == {"h-1-a-r.0.seg": {"g1": 20}}


def test_a_snapshot_says_the_same():
    state = replay(lines(*RECORDS))
    again = replay(lines(*state.snapshot(["h-1-a-r.0.seg"], ["h-1-a-r"], [FIRST.id])))
    assert again == state


def test_a_snapshot_forgets_segments_that_are_gone_and_keeps_sums_of_writers_that_are_gone():
    again = replay(lines(*replay(lines(*RECORDS)).snapshot([], [], [])))
    assert not again.done
    assert not again.counts.shipped
    assert again.counts.shipped_rows == 3
    assert again.open == {SECOND.id: SECOND}


def test_a_torn_last_line_is_normal():
    whole = lines(*RECORDS)
    for cut in range(1, len(encode_line(RECORDS[-1]))):
        assert replay(whole[:-cut]) == replay(lines(*RECORDS[:-1]))


def test_a_damaged_line_is_passed_over_and_counted():
    data = bytearray(lines(*RECORDS))
    data[len(lines(*RECORDS[:2])) + 30] ^= 1
    state = replay(bytes(data))
    assert set(state.open) == {FIRST.id, SECOND.id}
    assert state.counts.ledger_lines == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(data):
    assert replay(lines(*RECORDS) + data).done == {"h-1-a-r.0.seg": {"g1": 20}}


@pytest.mark.parametrize(
    "record",
    [{"record": "intent"}, {"record": "settled", "batch": 1}, {"record": "?"}, {}, {"record": "segment", "name": 1}],
)
def test_a_whole_line_that_is_no_record_is_passed_over(record):
    state = replay(lines(record, *RECORDS))
    assert state.counts.ledger_lines == 1
    assert state.open == {SECOND.id: SECOND}


def test_a_newer_ledger_is_refused():
    with pytest.raises(FormatTooNew, match="upgrade"):
        replay(lines({"record": "ledger", "format": 2}))


def test_an_empty_ledger_says_nothing():
    assert replay(b"") == LedgerState()
