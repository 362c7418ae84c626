"""Bytes of a segment become frames, quickly: the same answer as ``segment.scan`` and ``decode_frame``.

Promise: a frame is given only if its magic, length and checksum hold; behind what is no frame the next one is
found by its magic.

Why beside those two: the descriptor is most of a small frame (100 columns: 1,881 of 2,776 bytes) and the same
for thousands of frames in a row. Comparing it with the last ones costs 0.1 us; copying, hashing and
checksumming it costs 7 us, which is all that a frame may cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from zlib import crc32

from modeltap.core.schema import INT64
from modeltap.errors import FrameError
from modeltap.spool.frame import (
    FIXED,
    IDS_PER_ROW,
    MAX_FRAME_BYTES,
    PREFIX,
    Descriptor,
    Frame,
    decode_columns,
    decode_frame,
)
from modeltap.spool.segment import next_frame

MAX_EXACT = 1 << 53
"""float64 holds every whole number up to here."""
_new_tuple = tuple.__new__  # a third of the time that a named tuple's own constructor takes
_RECENT = 8
_KNOWN = 4096
_SIXTEEN_DIGITS = re.compile(rb"[\[,\- ]\d{16}")


class Known:
    """A descriptor that was seen, with what follows from it.

    Attributes:
        numbers: its frames may hold untyped whole numbers, so each of them is looked at.
        groups: groups of its frames by ``2 * day + loose``; filled by the shipper.
    """

    __slots__ = ("crc", "descriptor", "encoded", "groups", "length", "numbers")

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.encoded = descriptor.encoded
        self.length = len(self.encoded)
        self.crc = descriptor.crc
        self.numbers = descriptor.layout == "cells" and INT64 in descriptor.schema.types
        self.groups: dict[int, Any] = {}


Read: TypeAlias = tuple[int, int, Known, Frame]
"""A frame, ``[start, end)`` in its segment. A plain tuple: there is one for each row that is collected alone."""


@dataclass
class Stretch:
    """What stands in a stretch of a segment.

    Attributes:
        frames: in file order.
        damaged: stretches that are no frames, each followed by a whole one.
        undecodable: whole frames whose content cannot be read.
        position: where to read on.
    """

    frames: list[Read] = field(default_factory=list)
    damaged: list[tuple[int, int]] = field(default_factory=list)
    undecodable: list[tuple[int, int]] = field(default_factory=list)
    position: int = 0


class FrameReader:
    """Reads stretches; remembers descriptors."""

    def __init__(self) -> None:
        self._recent: list[Known] = []
        self._known: dict[bytes, Known] = {}

    def read(self, data: bytes, magic: bytes, base: int) -> Stretch:
        """Find the frames in a stretch of a segment.

        Args:
            data: beginning at a frame or at damage.
            magic: of the segment.
            base: position of ``data`` in the segment.
        """
        stretch, start = Stretch(position=base), 0
        while start < len(data):
            start = self._read_whole(data, magic, base, start, stretch)
            if start < len(data):
                start = self._read_damaged(data, magic, base, start, stretch)
                if start < 0:
                    break
        return stretch

    def _read_whole(self, data: bytes, magic: bytes, base: int, start: int, stretch: Stretch) -> int:
        """Read frames that follow each other; gives where that ends.

        The way of a frame like the one before it is written out here: a call more for each would show.
        """
        view, length, found = memoryview(data), len(data), stretch.frames
        unpack, decode, begins = PREFIX.unpack_from, _decode_rest, data.startswith
        known = self._recent[0] if self._recent else None
        while length - start >= PREFIX.size:
            found_magic, size, checksum = unpack(data, start)
            body = start + PREFIX.size
            end = body + size
            if found_magic != magic or end > length or size > MAX_FRAME_BYTES:
                break
            if known is None or not begins(known.encoded, body, end):
                known = self._recognise(data, body, end)
            rest = body if known is None else body + known.length
            if crc32(view[rest:end], 0 if known is None else known.crc) != checksum:
                break
            try:
                if known is None:
                    known, frame = self._decode_new(view[body:end])
                else:
                    frame = decode(known.descriptor, data, view, rest, end)
                found.append((base + start, base + end, known, frame))
            except FrameError:
                stretch.undecodable.append((base + start, base + end))
            start = end
        stretch.position = base + start
        return start

    def _read_damaged(self, data: bytes, magic: bytes, base: int, start: int, stretch: Stretch) -> int:
        """Pass over what is no frame; gives where the next frame begins, -1 if there is none."""
        resumed = next_frame(data, memoryview(data), start + 1, magic)
        if resumed is None:
            return -1
        stretch.damaged.append((base + start, base + resumed))
        stretch.position = base + resumed
        return resumed

    def _recognise(self, data: bytes, body: int, end: int) -> Known | None:
        for number, known in enumerate(self._recent):
            if data.startswith(known.encoded, body, end):
                if number:
                    self._recent.insert(0, self._recent.pop(number))
                return known
        return None

    def _decode_new(self, body: memoryview) -> tuple[Known, Frame]:
        """Decode a frame whose descriptor is none of the last ones; its ``Known`` becomes the first."""
        frame = decode_frame(body)
        encoded = frame.descriptor.encoded
        known = self._known.get(encoded)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[encoded] = Known(frame.descriptor)
        self._recent.insert(0, known)
        del self._recent[_RECENT:]
        return known, frame


def _decode_rest(descriptor: Descriptor, data: bytes, view: memoryview, start: int, end: int) -> Frame:
    """What ``decode_frame`` gives, from the bytes ``[start, end)`` behind the descriptor."""
    if end - start < FIXED.size:
        raise FrameError("reading a frame: it is too short; it is set aside")
    sequence, timestamp_us, day, rows, first_row, percent, flags, *lengths = FIXED.unpack_from(data, start)
    if flags & IDS_PER_ROW:
        return decode_frame(memoryview(descriptor.encoded + data[start:end]))
    first, second, third = lengths
    request = start + FIXED.size
    correlation = request + first
    host = correlation + second
    payload = host + third
    if payload > end:
        raise FrameError("reading a frame: its ids are cut; it is set aside")
    try:
        return _new_tuple(
            Frame,
            (
                descriptor,
                sequence,
                timestamp_us,
                day,
                rows,
                first_row,
                percent,
                data[request:correlation].decode(),
                data[correlation:host].decode() if second else "",
                data[host:payload].decode() if third else "",
                None,
                view[payload:end],
            ),
        )
    except ValueError as error:
        raise FrameError(f"reading a frame: {error!r}; the frame is set aside") from error


def is_loose(frame: Frame) -> bool:
    """Whether every whole number of a frame of untyped cells is held exactly by float64."""
    if not _SIXTEEN_DIGITS.search(frame.payload):
        return True
    try:
        return all(map(_is_exact, _whole_numbers(frame)))
    except FrameError:
        return False  # the encoder says so again, and then it is set aside


def _whole_numbers(frame: Frame) -> Iterator[Any]:
    for kind, column in zip(frame.descriptor.schema.types, decode_columns(frame), strict=True):
        if kind == INT64:
            yield from column


def _is_exact(cell: object) -> bool:
    return not isinstance(cell, int) or -MAX_EXACT <= cell <= MAX_EXACT
