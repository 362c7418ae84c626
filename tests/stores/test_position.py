"""The position file: read back, held by a golden file, and safe against every flipped bit and cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from modeltap.errors import StoreDenied
from modeltap.stores.commits import HEADER_IDENTITY, REMEMBERED, Commit, batch_identity
from modeltap.stores.position import (
    NO_SLOTS,
    SLOTS_END,
    SLOTS_START,
    Record,
    decode_record,
    encode_commit,
    encode_record,
)

GOLDEN = Path(__file__).parent / "golden" / "position-1.pos"
HEADER = b"$Timestamp,$CorrelationId,$RequestId,$HostRequestId,$Row,$SamplePercent,age\r\n"
METADATA = {"schema": "0123456789abcdef"}


def commits(count: int) -> list[Commit]:
    """The header, and batches of 10 bytes behind it."""
    found = [Commit(1, 0, len(HEADER), HEADER_IDENTITY)]
    for number in range(2, count + 1):
        start = found[-1].end
        found.append(Commit(number, start, start + 10, batch_identity(f"batch {number}")))
    return found


def encoded(count: int) -> bytes:
    data = bytearray(encode_record(Record(HEADER, METADATA)))
    for commit in commits(count):
        offset, slot = encode_commit(commit)
        data[offset : offset + len(slot)] = slot
    return bytes(data)


def test_a_record_without_a_commit_belongs_to_a_file_in_the_making():
    record = decode_record(encode_record(Record(HEADER, METADATA)))

    assert (record.header, record.metadata, record.slots) == (HEADER, METADATA, NO_SLOTS)
    assert record.commits == ()
    assert (record.last.generation, record.last.end) == (0, 0)


@pytest.mark.parametrize("count", [1, 2, REMEMBERED - 1, REMEMBERED, REMEMBERED + 1, 5 * REMEMBERED + 3])
def test_the_last_commits_are_read_back_in_order(count):
    record = decode_record(encoded(count))

    assert list(record.commits) == commits(count)[-REMEMBERED:]
    assert record.last == commits(count)[-1]


def test_the_format_is_that_of_the_golden_file():
    assert encoded(40) == GOLDEN.read_bytes()


def test_an_empty_or_foreign_file_records_nothing():
    for data in (b"", b"\0", b"MODELPOS", b"a,b\r\n1,2\r\n", bytes(10_000), b"MODELPOS" * 1_000):
        assert decode_record(data) is None


def test_a_cut_at_any_byte_records_nothing():
    data = encoded(3)

    assert all(decode_record(data[:length]) is None for length in range(len(data)))


def test_a_flipped_bit_never_gives_a_commit_that_was_not_made():
    data, made = encoded(40), set(commits(40))
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << (position % 8)
        record = decode_record(bytes(flipped))
        if record is None:
            continue
        assert (record.header, record.metadata) == (HEADER, METADATA)
        assert set(record.commits) <= made
        assert record.commits[-1].generation >= 39
        assert [commit.end for commit in record.commits[:-1]] == [commit.start for commit in record.commits[1:]]


def test_a_slot_that_was_being_written_at_a_power_loss_leaves_the_commits_before_it():
    before, after = encoded(REMEMBERED + 6), encoded(REMEMBERED + 7)
    offset, slot = encode_commit(commits(REMEMBERED + 7)[-1])
    for written in range(len(slot)):
        torn = (
            before[: offset + written]
            + before[offset + written : offset + len(slot)][::-1]
            + before[offset + len(slot) :]
        )
        torn = torn[:offset] + slot[:written] + torn[offset + written :]
        assert decode_record(torn).last == commits(REMEMBERED + 6)[-1]
    assert decode_record(after).last == commits(REMEMBERED + 7)[-1]


def test_a_newer_format_is_refused_and_named():
    data = bytearray(encoded(2))
    data[8:10] = (2).to_bytes(2, "little")
    from zlib import crc32

    data[16:20] = crc32(data[:16]).to_bytes(4, "little")

    with pytest.raises(StoreDenied, match=r"modeldata/x/data.csv: its format 2 is newer than 1; upgrade modeltap"):
        decode_record(bytes(data), "modeldata/x/data.csv")


def test_the_slots_stand_in_one_page_in_front_of_everything_that_varies_in_length():
    assert (SLOTS_START, SLOTS_END) == (64, 2112)
    assert SLOTS_END < 4096
