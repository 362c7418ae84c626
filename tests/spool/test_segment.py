"""Segments: whatever happens to the file, a frame is whole or it is not a frame."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.errors import FormatTooNew, FrameError
from modeltap.spool.frame import MAX_FRAME_BYTES, PREFIX
from modeltap.spool.segment import MAX_SEGMENT_BYTES, decode_header, encode_header, scan, writer_stem
from support.frames import frame_bytes
from support.golden_segments import MAGIC, all_frames, found_in

SEGMENT = all_frames()
FRAMES = [(found.start, found.end) for found in found_in(SEGMENT)]
BEGIN = FRAMES[0][0]
BODIES = {SEGMENT[start:end] for start, end in FRAMES}


def places(data: bytes, base: int = BEGIN) -> list[tuple[int, int]]:
    return [(found.start, found.end) for found in scan(data, MAGIC, base).found]


def test_the_segment_under_test_has_frames_of_every_layout_side_by_side():
    assert len(FRAMES) == 13
    assert 3_000 < len(SEGMENT) < 8_000
    assert [end for _, end in FRAMES[:-1]] == [start for start, _ in FRAMES[1:]]


# ---- cuts


def test_a_cut_at_any_byte_loses_only_the_frame_it_cuts():
    for cut in range(BEGIN, len(SEGMENT) + 1):
        whole = [(start, end) for start, end in FRAMES if end <= cut]
        found = scan(SEGMENT[BEGIN:cut], MAGIC, BEGIN)

        assert [(frame.start, frame.end) for frame in found.found] == whole
        assert found.damaged == []
        assert found.position == (whole[-1][1] if whole else BEGIN)


def test_a_torn_tail_is_where_reading_goes_on_when_it_has_grown():
    for cut in range(BEGIN, len(SEGMENT), 7):
        first = scan(SEGMENT[BEGIN:cut], MAGIC, BEGIN)
        then = scan(SEGMENT[first.position :], MAGIC, first.position)

        assert [frame[:2] for frame in first.found + then.found] == FRAMES


def test_a_header_that_is_cut_at_any_byte_is_not_there_yet():
    for cut in range(BEGIN):
        assert decode_header(SEGMENT[:cut]) is None


def test_a_stretch_that_begins_anywhere_finds_the_frames_behind_it():
    for begin in range(BEGIN, len(SEGMENT), 3):
        assert places(SEGMENT[begin:], begin) == [(start, end) for start, end in FRAMES if start >= begin]


# ---- flips


def test_any_flipped_bit_loses_only_the_frame_it_is_in():
    for position in range(BEGIN, len(SEGMENT)):
        untouched = [(start, end) for start, end in FRAMES if not start <= position < end]
        for bit in range(8):
            damaged = bytearray(SEGMENT)
            damaged[position] ^= 1 << bit
            found = scan(bytes(damaged[BEGIN:]), MAGIC, BEGIN)

            assert [(frame.start, frame.end) for frame in found.found] == untouched, (position, bit)
            if position < FRAMES[-1][0]:
                assert found.damaged == [frame for frame in FRAMES if frame not in untouched]
                assert found.position == len(SEGMENT)
            else:
                assert found.position == FRAMES[-1][0]


def test_any_flipped_bit_of_the_header_is_noticed_and_the_frames_are_found_by_their_magic():
    original = decode_header(SEGMENT)
    for position in range(BEGIN):
        for bit in range(8):
            damaged = bytearray(SEGMENT)
            damaged[position] ^= 1 << bit
            try:
                header = decode_header(bytes(damaged))
            except (FrameError, FormatTooNew):
                header = None
            # A smaller version is no damage: what it would mean is known, and it means the same.
            assert header is None or (header == original and damaged[8:10] == b"\0\0"), (position, bit)
            assert places(bytes(damaged), 0) == FRAMES


def test_damage_is_reported_to_the_byte():
    start, end = FRAMES[4]
    for damaged in (bytes(end - start), SEGMENT[start : end - 5], b"", b"x" * 1000):
        data = SEGMENT[BEGIN:start] + damaged + SEGMENT[end:]
        found = scan(data, MAGIC, BEGIN)

        assert len(found.found) == len(FRAMES) - 1
        assert found.damaged == ([(start, start + len(damaged))] if damaged else [])
        assert found.position == BEGIN + len(data)


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_whatever_is_written_over_cut_out_or_put_in_no_wrong_frame_is_read(draw: random.Random, wounds: int):
    data = SEGMENT[BEGIN:]
    for _ in range(wounds):
        begin = draw.randrange(len(data))
        end = min(len(data), begin + draw.randrange(300))
        length = draw.choice([0, end - begin, draw.randrange(300)])
        data = data[:begin] + draw.choice([bytes(length), draw.randbytes(length), MAGIC * (length // 8)]) + data[end:]
        found = scan(data, MAGIC)

        assert all(data[frame.start : frame.end] in BODIES for frame in found.found)
        whole = [(start, end) for start, end in FRAMES if data.startswith(SEGMENT[start:end], start - BEGIN)]
        assert len(found.found) >= len(whole)
        passed = sum(frame.end - frame.start for frame in found.found) + sum(
            end - begin for begin, end in found.damaged
        )
        assert passed == found.position <= len(data)


@given(st.binary(max_size=300))
def test_a_heap_of_bytes_is_no_frame(data):
    assert scan(data, MAGIC).found == []
    assert scan(MAGIC + data, MAGIC).found == []


def test_a_magic_with_zeros_behind_it_is_no_frame():
    assert scan(MAGIC + bytes(100), MAGIC).found == []


# ---- the magic


def test_a_cell_may_hold_the_magic_and_a_whole_frame_of_the_same_segment():
    inner = frame_bytes([("a", "string")], [["x"]])
    outer = frame_bytes([("a", "bool")], [[]], layout="bool", rows=len(inner), data=inner)
    data = outer + inner
    magic = outer[:8]

    assert magic in outer[8:]
    assert [(found.start, found.end) for found in scan(data, magic).found] == [
        (0, len(outer)),
        (len(outer), len(data)),
    ]


def test_frames_of_another_segment_are_no_frames():
    other = b"\1" * 8

    assert scan(SEGMENT[BEGIN:], other) == ([], [], 0)


def test_a_length_beyond_the_bound_or_the_end_is_no_frame():
    for length in (MAX_FRAME_BYTES + 1, 0xFFFFFFFF, 100):
        data = PREFIX.pack(MAGIC, length, 0) + SEGMENT[BEGIN:]
        found = scan(data, MAGIC)

        assert len(found.found) == len(FRAMES)
        assert found.damaged == [(0, PREFIX.size)]


def test_any_kind_of_bytes_can_be_read():
    for data in (SEGMENT, bytearray(SEGMENT), memoryview(SEGMENT)):
        header = decode_header(data)
        assert header is not None
        assert places(memoryview(data)[header.length :], header.length) == FRAMES


# ---- header and name


def test_a_header_has_the_bytes_of_its_table():
    made = encode_header(b"\1\2\3\4\5\6\7\xff", {"pid": 1})

    assert made[:8] == b"MODELTAP"
    assert made[8:12] == bytes([1, 0, 9, 0])
    assert made[16:] == b'\1\2\3\4\5\6\7\xff{"pid":1}'


@given(st.binary(min_size=8, max_size=8), st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers()))
def test_a_header_is_read_back(magic, document):
    header = decode_header(encode_header(magic, document) + b"more")

    assert header is not None
    assert (header.magic, header.document) == (magic, document)


@pytest.mark.parametrize("data", [b"not a segment, but long enough", bytes(64), SEGMENT[BEGIN:]])
def test_another_file_is_no_segment(data):
    with pytest.raises(FrameError, match="does not begin as one"):
        decode_header(data)


def test_a_name_says_its_writer():
    assert writer_stem("host-12-5f-0a.0.seg") == "host-12-5f-0a"
    assert writer_stem("host-12-5f-0a.17.seg") == "host-12-5f-0a"


def test_a_segment_is_small_enough_to_be_read_at_once():
    assert MAX_SEGMENT_BYTES == 8 << 20
