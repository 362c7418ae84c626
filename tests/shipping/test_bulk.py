"""The bulk encoder writes what the reference encoder writes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.schema import Schema
from modeltap.shipping import bulk, reference
from modeltap.spool.frame import Frame
from support.frames import INSTANT_US, SCHEMAS, frame, frames_of
from support.pythons import ROOT, python


@pytest.mark.timeout(1800)
@given(st.data())
def test_any_frames_that_fit_a_file_give_the_same_bytes(data: st.DataObject):
    schema = data.draw(SCHEMAS)
    kinds = data.draw(st.lists(frames_of(schema), min_size=1, max_size=4))
    frames = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=8))
    assert bulk.encode_rows(schema, frames) == reference.encode_rows(schema, frames)


def random_bits(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << 64, count, dtype=np.uint64).view(np.float64)


def block_frame(types: list[tuple[str, str]], values: np.ndarray, layout: str, **fields: object) -> Frame:
    return frame(types, [], layout=layout, rows=len(values), data=values.tobytes(), **fields)


def test_random_bit_patterns_are_printed_alike_and_read_back():
    values = random_bits(200_000, 7).reshape(-1, 10)
    types = [(f"c{k}", "float64") for k in range(10)]
    frames = [block_frame(types, part, "float64") for part in np.split(values, 20)]
    schema = frames[0].descriptor.schema
    rows = bulk.encode_rows(schema, frames)
    assert rows == reference.encode_rows(schema, frames)
    read = np.array([[float(cell) for cell in line.split(b",")[6:]] for line in rows.splitlines()])
    same = (read.view(np.uint64) == values.view(np.uint64)) | (np.isnan(read) & np.isnan(values))
    assert same.all()


def test_powers_of_two_and_ten_and_their_neighbours_are_printed_alike():
    twos = np.ldexp(1.0, np.arange(-1074, 1024))
    tens = np.array([float(f"{digits}e{k}") for k in range(-330, 309) for digits in ("1", "9.999999999999999", "1.5")])
    edges = np.concatenate([twos, tens])
    values = np.concatenate([edges, -edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)]).reshape(-1, 1)
    each = block_frame([("x", "float64")], values, "float64")
    assert bulk.encode_rows(each.descriptor.schema, [each]) == reference.encode_rows(each.descriptor.schema, [each])


def test_rows_keep_their_order_over_chunks_and_descriptors():
    a, b = ("a", "float64"), ("b", "float64")
    schema = Schema((a, b))
    frames = []
    for number in range(1200):
        values = np.array([[number, number + 0.5]] * (1 + number % 400))
        types = [a, b] if number % 3 else [b, a]
        frames.append(block_frame(types, values, "float64", timestamp_us=INSTANT_US + number, request_id=f"r-{number}"))
    assert sum(len(each.payload) for each in frames) > bulk.CHUNK_BYTES
    assert bulk.encode_rows(schema, frames) == reference.encode_rows(schema, frames)


@pytest.mark.parametrize("layout", ["float64", "int64", "bool"])
def test_every_binary_layout_is_written_alike_in_single_rows(layout: str):
    width = 7
    data = random_bits(width * 300, 3).tobytes()
    size = width * struct.calcsize({"float64": "d", "int64": "q", "bool": "?"}[layout])
    types = [(f"c{k}", layout) for k in range(width)]
    frames = [frame(types, [], layout=layout, rows=1, data=data[k * size : (k + 1) * size]) for k in range(300)]
    schema = frames[0].descriptor.schema
    assert bulk.encode_rows(schema, frames) == reference.encode_rows(schema, frames)


MEMORY = """
import resource, sys
from support.frames import frame
from modeltap.shipping import bulk
layout, width, cell = sys.argv[1], 100, {"float64": 8, "bool": 1}[sys.argv[1]]
rows = (1 << 19) // (width * cell)
types = [(f"c{k}", layout) for k in range(width)]
data = b"".join(bytes([k % 251] * cell) for k in range(rows * width))
frames = [frame(types, [], layout=layout, rows=rows, data=data, request_id=f"r-{k}") for k in range(16)]
bulk.encode_rows(frames[0].descriptor.schema, frames[:1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = len(bulk.encode_rows(frames[0].descriptor.schema, frames))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 - size)
"""


@pytest.mark.parametrize("layout", ["float64", "bool"])
def test_eight_mebibytes_of_frames_need_little_memory_beside_the_result(layout: str):
    output = python(MEMORY, layout, paths=[ROOT / "tests"])
    assert output.code == 0, output.err
    assert int(output.out) < 100 << 20
