"""Frames: what a collect() call puts into a segment, and what is read from it."""

from __future__ import annotations

import json
import random
from array import array
from zlib import compress, crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.schema import Schema
from modeltap.errors import FrameError
from modeltap.spool.frame import (
    FIXED,
    LENGTH,
    MAX_DESCRIPTOR_BYTES,
    MAX_FRAME_BYTES,
    NO_ROW,
    PREFIX,
    Descriptor,
    Frame,
    RowIds,
    assemble,
    block_values,
    decode_columns,
    decode_frame,
    encode_frame,
    read_descriptor,
)
from modeltap.spool.segment import scan
from support.frames import CELLS, KEY, MAGIC, SCHEMAS, TEXTS, frame, frame_bytes, frames_of, payload
from support.golden_segments import all_frames, found_in

ONE = [("y", "float64")]
BODIES = [bytes(found.body) for found in found_in(all_frames())]


def told(columns: list[list[object]]) -> str:
    """Cells as text, so that NaN equals NaN and 0.0 differs from -0.0."""
    return repr(columns)


# ---- round trips


@given(SCHEMAS.flatmap(frames_of))
def test_a_frame_that_is_built_again_has_the_same_bytes(found: Frame):
    made = encode_frame(
        MAGIC,
        found.descriptor,
        sequence=found.sequence,
        timestamp_us=found.timestamp_us,
        day=found.day,
        rows=found.rows,
        payload=bytes(found.payload),
        first_row=found.first_row,
        sample_percent=found.sample_percent,
        request_id=found.request_id,
        correlation_id=found.correlation_id,
        host_request_id=found.host_request_id,
        row_ids=found.row_ids,
    )
    (again,) = scan(made, MAGIC).found

    assert decode_frame(again.body) == found
    assert (again.start, again.end) == (0, len(made))


@given(st.data(), SCHEMAS, st.sampled_from(["cells", "columns"]), st.integers(1, 5))
def test_cells_of_every_type_are_read_back(data, schema, layout, rows):
    columns = [data.draw(st.lists(st.none() | CELLS[kind], min_size=rows, max_size=rows)) for kind in schema.types]

    assert told(decode_columns(frame(schema.columns, columns, layout=layout))) == told(columns)


@given(
    st.sampled_from(["float64", "int64", "bool"]).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(st.tuples(CELLS[kind], CELLS[kind]), min_size=1, max_size=6))
    )
)
def test_a_binary_block_is_read_row_by_row(case):
    kind, rows = case
    columns = [list(column) for column in zip(*rows, strict=True)]

    assert told(decode_columns(frame([("a", kind), ("b", kind)], columns, layout=kind))) == told(columns)


@given(
    TEXTS,
    TEXTS,
    TEXTS,
    st.integers(0, (1 << 64) - 1),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(-(1 << 31), (1 << 31) - 1),
)
def test_ids_and_instants_are_read_back(request, correlation, host, sequence, timestamp_us, day):
    found = frame(
        ONE,
        [[1.0]],
        sequence=sequence,
        timestamp_us=timestamp_us,
        day=day,
        first_row=NO_ROW,
        request_id=request,
        correlation_id=correlation,
        host_request_id=host,
    )

    assert (found.request_id, found.correlation_id, found.host_request_id) == (request, correlation, host)
    assert (found.sequence, found.timestamp_us, found.day, found.first_row) == (sequence, timestamp_us, day, NO_ROW)


@given(
    st.lists(TEXTS, min_size=2, max_size=2), st.lists(st.none() | st.integers(0, NO_ROW - 1), min_size=2, max_size=2)
)
def test_ids_row_by_row_are_read_back(texts, rows):
    for ids in (RowIds(texts, texts, rows), RowIds(correlation_id=texts), RowIds(row=rows), RowIds([], [], [])):
        assert frame(ONE, [[1.0, 2.0]], row_ids=ids).row_ids == ids


# ---- the table


def test_a_frame_has_the_bytes_of_its_table():
    descriptor = Descriptor(KEY, Schema((("y", "float64"),)), "float64")
    made = encode_frame(
        b"magic...",
        descriptor,
        sequence=1,
        timestamp_us=2,
        day=3,
        rows=1,
        payload=b"12345678",
        first_row=4,
        sample_percent=50.0,
        request_id="r",
        correlation_id="co",
        host_request_id="hos",
    )
    length = len(descriptor.encoded) - 4
    body = made[16:]

    assert made[:8] == b"magic..."
    assert int.from_bytes(made[8:12], "little") == len(body)
    assert int.from_bytes(made[12:16], "little") == crc32(body)
    assert int.from_bytes(made[16:20], "little") == length
    assert body[4 + length :] == (
        (1).to_bytes(8, "little")
        + (2).to_bytes(8, "little")
        + (3).to_bytes(4, "little")
        + (1).to_bytes(4, "little")
        + (4).to_bytes(4, "little")
        + array("d", [50.0]).tobytes()
        + b"\0"
        + b"\1\0\2\0\3\0"
        + b"rcohos"
        + b"12345678"
    )


def test_the_checksum_of_a_descriptor_is_made_once_and_goes_on():
    descriptor = Descriptor(KEY, Schema((("y", "float64"),)), "float64")

    assert descriptor.encoded is descriptor.encoded
    assert crc32(b"body", descriptor.crc) == crc32(descriptor.encoded + b"body")


def test_equal_descriptors_are_read_as_one_object():
    packed = Descriptor(KEY, Schema((("y", "float64"),)), "float64").encoded[4:]

    assert read_descriptor(packed) is read_descriptor(bytes(bytearray(packed)))


def test_a_descriptor_that_another_compressor_wrote_keeps_its_bytes():
    text = json.dumps({"key": ["modeldata", *KEY.parts], "columns": [["y", "float64"]], "layout": "float64"})
    packed = compress(text.encode(), 1)

    assert read_descriptor(packed).encoded == LENGTH.pack(len(packed)) + packed
    assert read_descriptor(packed) == Descriptor(KEY, Schema((("y", "float64"),)), "float64")


# ---- bounds


def test_a_frame_has_one_mebibyte_at_most():
    descriptor = Descriptor(KEY, Schema((("y", "binary"),)), "cells")
    room = MAX_FRAME_BYTES - PREFIX.size - len(descriptor.encoded)

    assert len(assemble(MAGIC, descriptor, bytes(room))) == MAX_FRAME_BYTES
    with pytest.raises(FrameError, match="at most 1048576 fit"):
        assemble(MAGIC, descriptor, bytes(room + 1))


def test_the_largest_frame_is_read():
    descriptor = Descriptor(KEY, Schema((("y", "bool"),)), "bool")
    room = MAX_FRAME_BYTES - PREFIX.size - len(descriptor.encoded) - FIXED.size
    made = encode_frame(MAGIC, descriptor, sequence=0, timestamp_us=0, day=0, rows=room, payload=bytes(room))
    (found,) = scan(made, MAGIC).found

    assert len(made) == MAX_FRAME_BYTES
    assert decode_columns(decode_frame(found.body)) == [[False] * room]


def test_an_id_has_64_kibibytes_at_most():
    assert frame(ONE, [[1.0]], request_id="x" * 65_535).request_id == "x" * 65_535
    with pytest.raises(FrameError, match="65,535 bytes"):
        frame_bytes(ONE, [[1.0]], correlation_id="\u00e9" * 32_768)


# ---- bytes that say something else


@pytest.mark.parametrize(
    ("columns", "layout", "rows", "data"),
    [
        (ONE, "float64", 1, b"1234567"),
        (ONE, "float64", 1, b""),
        (ONE, "float64", 2, bytes(8)),
        (ONE, "cells", 1, b"[1.0, 2.0]"),
        (ONE, "cells", 1, b"{}"),
        (ONE, "cells", 1, b'"x"'),
        (ONE, "cells", 1, b"1"),
        (ONE, "cells", 1, b"\xff"),
        (ONE, "cells", 1, b""),
        (ONE, "cells", 1, b"[" * 100_000),
        (ONE, "cells", 1, b"[" + b"9" * 5_000 + b"]"),
        (ONE, "columns", 1, b""),
        (ONE, "columns", 1, b"d\x08\0\0\0" + bytes(7)),
        (ONE, "columns", 1, b"d\x08\0\0"),
        (ONE, "columns", 1, b"x\x08\0\0\0" + bytes(8)),
        (ONE, "columns", 1, b"d\xff\xff\xff\xff" + bytes(8)),
        (ONE, "columns", 1, b"j\x03\0\0\0[1]d\x08\0\0\0" + bytes(8)),
        (ONE, "columns", 2, b"j\x03\0\0\0[1]"),
        (ONE, "columns", 1, b"j\x01\0\0\x001"),
        (ONE, "rows", 1, bytes(8)),
    ],
)
def test_a_payload_that_is_not_what_its_descriptor_says_is_a_frame_error(columns, layout, rows, data):
    with pytest.raises(FrameError, match="set aside"):
        decode_columns(frame(columns, [[]], layout=layout, rows=rows, data=data))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"not zlib",
        compress(b""),
        compress(b"[]"),
        compress(b"{}"),
        compress(b"\xff"),
        compress(b"[" * 200_000),
        compress(b'{"key":[],"columns":[],"layout":"cells"}'),
        compress(b'{"key":["a","b","c","d","e","f","g"],"columns":[],"layout":"cells"}'),
        compress(b'{"key":["t","a","b","c","d","e","f","g"],"columns":[["a"]],"layout":"cells"}'),
        compress(b'{"key":["t","a","b","c","d","e","f","g"],"columns":[["a","int64"]]}'),
        compress(b'{"key":["t","a","b","c","d","e","f","g"],"columns":[["a","int64"]],"layout":"cells"}')[:-9],
        compress(b'{"x":"' + bytes(MAX_DESCRIPTOR_BYTES) + b'"}'),
    ],
    ids=lambda packed: str(packed[:12]),
)
def test_a_descriptor_that_cannot_be_read_is_a_frame_error(packed):
    with pytest.raises(FrameError, match="set aside"):
        read_descriptor(packed)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_error(data):
    with pytest.raises(FrameError):
        decode_frame(memoryview(data))


def test_bodies_with_wounds_are_read_or_are_frame_errors():
    draw = random.Random(3)
    outcomes = set()
    for number in range(6_000):
        body = bytearray(BODIES[number % len(BODIES)])
        for _ in range(draw.randrange(1, 4)):
            begin = draw.randrange(len(body))
            body[begin : begin + draw.randrange(9)] = draw.randbytes(draw.randrange(9))
        try:
            found = decode_frame(memoryview(bytes(body)))
            columns = decode_columns(found)
            assert len(columns) == len(found.descriptor.schema.columns)
            assert {len(column) for column in columns} <= {found.rows}
            outcomes.add("read")
        except FrameError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_a_body_that_is_cut_at_any_byte_never_gives_other_cells():
    for body in BODIES:
        whole = told(decode_columns(decode_frame(memoryview(body))))
        for cut in range(len(body)):
            try:
                columns = decode_columns(decode_frame(memoryview(body[:cut])))
            except FrameError:
                continue
            assert told(columns) == whole


def test_bools_are_bools_whatever_byte_is_true():
    assert block_values("bool", b"\0\1\2\xff") == [False, True, True, True]
    assert payload("bool", [[True, False]], ["bool"]) == b"\1\0"
