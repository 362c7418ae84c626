"""The format of frames and segments, held by stored bytes."""

from __future__ import annotations

import pytest

from modeltap.core.schema import Schema
from modeltap.errors import FormatTooNew
from modeltap.spool.frame import Descriptor, decode_frame, encode_frame, read_descriptor
from modeltap.spool.segment import decode_header, encode_header
from support.golden_segments import FOLDER, MAGIC, NAMES, as_expected, found_in, golden, key_of, row_ids_of


def told(value: object) -> str:
    """A value as text, so that NaN equals NaN and 0.0 differs from -0.0."""
    return repr(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_header_is_read(name):
    stored = golden(name)
    header = decode_header(stored.data)

    assert header is not None
    assert (header.magic, header.length) == (MAGIC, stored.header_length)
    assert header.document == stored.document


@pytest.mark.parametrize("name", NAMES)
def test_stored_frames_are_read_as_they_were_meant(name):
    stored = golden(name)

    assert [told(as_expected(found)) for found in found_in(stored.data)] == [told(frame) for frame in stored.frames]


@pytest.mark.parametrize("name", NAMES)
def test_a_header_made_today_has_the_stored_bytes(name):
    stored = golden(name)

    assert encode_header(MAGIC, stored.document) == stored.data[: stored.header_length]


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_made_today_with_the_stored_descriptor_has_the_stored_bytes(name):
    stored = golden(name)
    for expected, found in zip(stored.frames, found_in(stored.data), strict=True):
        frame = decode_frame(found.body)
        made = encode_frame(
            MAGIC,
            frame.descriptor,
            sequence=frame.sequence,
            timestamp_us=frame.timestamp_us,
            day=frame.day,
            rows=frame.rows,
            payload=bytes(frame.payload),
            first_row=frame.first_row,
            sample_percent=frame.sample_percent,
            request_id=frame.request_id,
            correlation_id=frame.correlation_id,
            host_request_id=frame.host_request_id,
            row_ids=row_ids_of(expected["row_ids"]),
        )

        assert made == stored.data[found.start : found.end]


@pytest.mark.parametrize("name", NAMES)
def test_a_descriptor_made_today_says_the_same_as_the_stored_one(name):
    stored = golden(name)
    for expected, found in zip(stored.frames, found_in(stored.data), strict=True):
        made = Descriptor(key_of(expected["key"]), Schema(tuple(map(tuple, expected["columns"]))), expected["layout"])

        assert made == decode_frame(found.body).descriptor
        assert read_descriptor(made.encoded[4:]) == made


def test_frames_of_one_collection_share_one_descriptor():
    first, other, second = (decode_frame(found.body).descriptor for found in found_in(golden("keys").data))

    assert first is second
    assert first is not other


def test_a_newer_format_is_refused():
    with pytest.raises(FormatTooNew, match="left untouched"):
        decode_header((FOLDER / "newer.seg").read_bytes())
