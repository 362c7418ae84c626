"""The encoder of an agent grows with its work."""

from __future__ import annotations

from modeltap.agent.encoder import SMALL_BATCH_BYTES, SMALL_WORK_BYTES, GrowingEncoder
from modeltap.core.schema import Schema
from support.frames import block, frame

COLUMNS = (("a", "float64"),)
SCHEMA = Schema(COLUMNS)


def frame_of(size):
    values = [0.5] * (size // 8)
    return frame(COLUMNS, [values], layout="float64", data=block("float64", values))


def test_small_batches_need_no_bulk_encoder():
    encoder = GrowingEncoder()
    assert encoder(SCHEMA, [frame_of(8)] * 3).count(b"\r\n") == 3
    assert encoder.name == "reference"


def test_a_large_batch_and_a_long_day_do():
    encoder = GrowingEncoder()
    encoder(SCHEMA, [frame_of(SMALL_BATCH_BYTES // 2)] * 3)
    assert encoder.name == "bulk"
    encoder = GrowingEncoder()
    encoder._bytes = SMALL_WORK_BYTES
    small = encoder(SCHEMA, [frame_of(8)])
    assert encoder.name == "bulk"
    assert small == GrowingEncoder()(SCHEMA, [frame_of(8)])
