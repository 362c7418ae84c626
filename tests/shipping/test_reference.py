"""What both encoders refuse, and that they refuse it alike."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from modeltap.core.schema import Schema
from modeltap.errors import FrameError
from modeltap.shipping import bulk, reference
from modeltap.shipping.encoding import Encoder
from modeltap.spool.frame import LENGTH, Frame, RowIds
from support.frames import block, frame

ENCODERS = pytest.mark.parametrize("encode", [reference.encode_rows, bulk.encode_rows], ids=["reference", "bulk"])


def one(kind: str, data: bytes, *, layout: str = "cells", rows: int = 1, **fields: Any) -> Frame:
    """A frame of one column whose payload is given."""
    return frame([("x", kind)], [], layout=layout, rows=rows, data=data, **fields)


def part(code: str, data: bytes) -> bytes:
    return code.encode() + LENGTH.pack(len(data)) + data


UNDECODABLE = {
    "a block too short by a byte": one("float64", bytes(15), layout="float64", rows=2),
    "a block of another number of rows": one("float64", bytes(16), layout="float64", rows=3),
    "an unknown layout": one("float64", bytes(8), layout="zip"),
    "a block of another type": one("int64", block("float64", [1.0]), layout="float64"),
    "no JSON": one("string", b'["a'),
    "JSON but no list": one("string", b'{"0": "a"}'),
    "too few cells": one("string", b"[]"),
    "too many cells": one("string", b'["a", "b"]'),
    "too few cells of several rows": one("string", b'["a", "b"]', rows=3),
    "JSON deeper than the stack": one("string", b"[" * 200_000),
    "bytes that are no text": one("string", b'["\xff"]'),
    "half of a surrogate pair": one("string", b'["\\ud800"]'),
    "no column": one("string", b"", layout="columns"),
    "a column too many": one("string", part("j", b'["a"]') * 2, layout="columns"),
    "a column cut short": one("float64", part("d", bytes(8))[:-1], layout="columns"),
    "a length cut short": one("float64", b"d\x08\x00", layout="columns"),
    "a column with a cell too many": one("string", part("j", b'["a", "b"]'), layout="columns"),
    "a column that is no list": one("string", part("j", b'"a"'), layout="columns"),
    "a column of an unknown code": one("float64", part("z", bytes(8)), layout="columns"),
    "floats where integers are said": one("int64", part("d", bytes(8)), layout="columns"),
}

UNTRUE = {
    "a text among integers": one("int64", b'["1"]'),
    "a float among integers": one("int64", b"[1.0]"),
    "a bool among integers": one("int64", b"[true]"),
    "an integer of more than 64 bits": one("int64", b"[9223372036854775808]"),
    "an integer among bools": one("bool", b"[1]"),
    "a bool among floats": one("float64", b"[true]"),
    "an integer that no float holds": one("float64", b"[9007199254740993]"),
    "an integer above every float": one("float64", b"[1" + b"0" * 400 + b"]"),
    "a number among texts": one("string", b"[1]"),
    "a list among texts": one("json", b"[[1]]"),
    "a value in a column without values": one("null", b"[1]"),
    "a row number for each of other rows": one("int64", b"[1]", row_ids=RowIds(row=[0, 1])),
    "a row number that is text": one("int64", b"[1]", row_ids=RowIds(row=["0"])),  # type: ignore[list-item]
    "a negative row number": one("int64", b"[1]", row_ids=RowIds(row=[-1])),
    "a request id that is no text": one("int64", b"[1]", row_ids=RowIds(request_id=[7])),  # type: ignore[list-item]
    "a correlation id with half a surrogate pair": one("int64", b"[1]")._replace(
        row_ids=RowIds(correlation_id=["\ud800"])
    ),
    "a sample percent that is no number": one("int64", b"[1]", sample_percent=float("nan")),
    "a timestamp before the year 1": one("int64", b"[1]", timestamp_us=-62_135_596_800_000_001),
    "a timestamp after the year 9999": one("int64", b"[1]", timestamp_us=253_402_300_800_000_000),
}

GOOD = one("int64", block("int64", [1]), layout="int64")


@ENCODERS
@pytest.mark.parametrize("bad", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_a_payload_that_does_not_decode_is_a_frame_error(bad: Frame, encode: Encoder):
    with pytest.raises(FrameError, match="set aside"):
        encode(bad.descriptor.schema, [bad])


@ENCODERS
@pytest.mark.parametrize("bad", UNTRUE.values(), ids=UNTRUE.keys())
def test_a_cell_that_is_not_what_its_type_says_is_a_frame_error(bad: Frame, encode: Encoder):
    with pytest.raises(FrameError, match="set aside"):
        encode(bad.descriptor.schema.settled(), [bad])


@ENCODERS
def test_one_bad_frame_refuses_the_whole_call(encode: Encoder):
    bad = one("int64", b'["1"]')
    with pytest.raises(FrameError):
        encode(GOOD.descriptor.schema, [GOOD, bad, GOOD])


@ENCODERS
@pytest.mark.parametrize(
    "file",
    [[("y", "int64")], [("x", "int64"), ("y", "int64")], [], [("x", "string")], [("x", "bool")], [("x", "decimal")]],
)
def test_a_frame_of_another_schema_is_a_frame_error(file: list[tuple[str, str]], encode: Encoder):
    with pytest.raises(FrameError, match="column"):
        encode(Schema(tuple(file)), [GOOD])


@ENCODERS
def test_a_column_that_is_twice_in_a_frame_is_a_frame_error(encode: Encoder):
    twice = frame([("x", "int64"), ("x", "int64")], [[1], [2]])
    with pytest.raises(FrameError, match="column"):
        encode(GOOD.descriptor.schema, [twice])


@ENCODERS
@pytest.mark.parametrize("number", [9007199254740993, (1 << 63) - 1, -(1 << 53) - 1])
def test_an_integer_is_widened_only_when_it_stays_the_same(number: int, encode: Encoder):
    file = Schema((("x", "float64"),))
    for layout in ("int64", "cells", "columns"):
        with pytest.raises(FrameError, match="no float64"):
            encode(file, [frame([("x", "int64")], [[number]], layout=layout)])


@ENCODERS
@pytest.mark.parametrize("number", [1 << 60, -(1 << 63), 1 << 53, 0])
def test_an_integer_that_a_float_holds_is_widened_at_any_size(number: int, encode: Encoder):
    file = Schema((("x", "float64"),))
    for layout in ("int64", "cells", "columns"):
        line = encode(file, [frame([("x", "int64")], [[number]], layout=layout)])
        text = line.decode().rstrip().rpartition(",")[2]
        assert float(text) == number
        assert "." in text or "e+" in text


@ENCODERS
def test_nothing_gives_nothing(encode: Encoder):
    assert encode(GOOD.descriptor.schema, []) == b""


@ENCODERS
def test_a_frame_without_rows_gives_nothing(encode: Encoder):
    for layout in ("cells", "columns", "int64"):
        assert encode(GOOD.descriptor.schema, [frame([("x", "int64")], [[]], layout=layout)]) == b""


@ENCODERS
def test_a_frame_without_columns_gives_the_leading_columns(encode: Encoder):
    lines = encode(Schema(()), [frame([], [], rows=2)])
    assert lines == (b"2026-11-22T21:39:52.656442,,r-1,,0,100\r\n2026-11-22T21:39:52.656442,,r-1,,1,100\r\n")


@ENCODERS
def test_a_frame_as_large_as_frames_may_be_is_one_row_of_38_000_columns(encode: Encoder):
    count = 38_000
    wide = frame([(f"{k:x}", "float64") for k in range(count)], [[k / 7] for k in range(count)], layout="float64")
    (cells,) = csv.reader(io.StringIO(encode(wide.descriptor.schema, [wide]).decode()))
    assert [float(cell) for cell in cells[6:]] == [k / 7 for k in range(count)]
