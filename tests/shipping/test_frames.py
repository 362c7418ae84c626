"""Reading frames quickly gives what reading them plainly gives."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from modeltap.shipping.frames import FrameReader, is_loose
from modeltap.spool.frame import decode_frame
from modeltap.spool.segment import decode_header, scan
from support.frames import frame
from support.shippers import FLOATS, PREDICTIONS, Spool


def written(tmp_path, frames=40):
    writer = Spool(tmp_path / "spool").writer()
    for number in range(frames):
        writer.collect([[float(number), 0.0]] * (number % 3 + 1), FLOATS)
        writer.collect([["x" * number]], (("text", "string"),), key=PREDICTIONS)
    data = writer.seal().path.read_bytes()
    header = decode_header(data)
    return data[header.length :], header.magic, header.length


def plainly(data, magic, base):
    found = scan(data, magic, base)
    return [(place.start, place.end, decode_frame(place.body)) for place in found.found], found.damaged, found.position


def quickly(data, magic, base, reader=None):
    found = (reader or FrameReader()).read(data, magic, base)
    assert not found.undecodable
    return [(start, end, frame) for start, end, _, frame in found.frames], found.damaged, found.position


def test_whole_frames_are_read(tmp_path):
    data, magic, base = written(tmp_path)
    assert quickly(data, magic, base) == plainly(data, magic, base)


def test_frames_of_more_descriptors_than_are_remembered_are_read(tmp_path):
    writer = Spool(tmp_path / "spool").writer()
    for number in range(60):
        writer.collect([[1.0]], ((f"column {number % 20}", "float64"),))
    data = writer.seal().path.read_bytes()
    header = decode_header(data)
    reader = FrameReader()
    for _ in range(2):
        assert quickly(data[header.length :], header.magic, 0, reader) == plainly(
            data[header.length :], header.magic, 0
        )


def test_frames_behind_damage_and_in_front_of_a_torn_tail_are_read(tmp_path):
    data, magic, base = written(tmp_path)
    chance = random.Random(1)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        cut = bytes(broken[: chance.randrange(len(broken))])
        assert quickly(cut, magic, base) == plainly(cut, magic, base)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data):
    assert quickly(data, b"\x01magic!\x02", 0)[0] == []


def loose(payload):
    return is_loose(frame((("a", "int64"), ("b", "string")), [[1], ["x"]], data=payload))


def test_whole_numbers_that_float64_holds_may_become_floats():
    assert loose(b'[9007199254740992,"x"]')
    assert loose(b'[-9007199254740992, "12345678901234567890"]')
    assert loose(b'[1, "[12345678901234567890"]')


def test_larger_ones_may_not():
    assert not loose(b'[9007199254740993,"x"]')
    assert not loose(b'[-9007199254740993, "x"]')
    assert not loose(b"[[1234567890123456789]]")
