"""The segment: a file of frames that one process start appends to, and how it is read back.

Promises: one writer per segment; a reader stops at a torn tail, finds the next frame by the magic
behind damage, reports every byte that it passed over, and never gives a frame whose checksum fails.

Bytes, little endian::

    offset  size  field
    0       8     b"MODELTAP"
    8       2     format version (u16): 1; a reader refuses a newer one and leaves the file alone
    10      2     J, length of the JSON below (u16)
    12      4     crc32 of bytes 16 .. 24+J (u32)
    16      8     magic of this segment's frames (random)
    24      J     JSON: {"spool": hash, "host": ..., "pid": ..., "writer": ..., "version": ...}
    24+J    ...   frames

The name is ``<host>-<pid>-<start>-<random>.<number>.seg``: everything before the first dot from the end
is the same for all segments of one process start (the writer's stem), the number counts its segments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

from modeltap.errors import FormatTooNew, FrameError
from modeltap.spool.frame import MAX_FRAME_BYTES, MIN_BODY_BYTES, PREFIX

SIGNATURE = b"MODELTAP"
VERSION = 1
SUFFIX = ".seg"
MAX_SEGMENT_BYTES = 8 << 20
_HEADER = Struct("<8sHHI8s")


@dataclass(frozen=True)
class SegmentHeader:
    """The front of a segment."""

    magic: bytes
    document: Mapping[str, Any]
    length: int


def encode_header(magic: bytes, document: Mapping[str, Any]) -> bytes:
    """Build the front of a segment."""
    text = json.dumps(document, separators=(",", ":")).encode()
    return _HEADER.pack(SIGNATURE, VERSION, len(text), crc32(text, crc32(magic)), magic) + text


def decode_header(data: bytes | memoryview) -> SegmentHeader | None:
    """Read the front of a segment; None while it is not wholly written.

    Raises:
        FormatTooNew: written by a newer modeltap.
        FrameError: damaged, or not a segment.
    """
    if len(data) < _HEADER.size:
        return None
    signature, version, length, checksum, magic = _HEADER.unpack_from(data)
    if signature != SIGNATURE:
        raise FrameError("reading a segment: it does not begin as one; it is set aside")
    if version > VERSION:
        raise FormatTooNew(
            f"reading a segment: its format {version} is newer than {VERSION}; it is left untouched, upgrade modeltap"
        )
    if len(data) < _HEADER.size + length:
        return None
    text = bytes(data[_HEADER.size : _HEADER.size + length])
    if crc32(text, crc32(magic)) != checksum:
        raise FrameError("reading a segment: its header is damaged; it is set aside")
    return SegmentHeader(magic, json.loads(text), _HEADER.size + length)


def writer_stem(name: str) -> str:
    """The part of a segment's name that all segments of one process start share."""
    return name.removesuffix(SUFFIX).rpartition(".")[0]


class Found(NamedTuple):
    """A frame's place in a segment: [start, end) and its body."""

    start: int
    end: int
    body: memoryview


class Scan(NamedTuple):
    """What stands in a stretch of a segment.

    Attributes:
        found: whole frames in file order.
        damaged: stretches [start, end) that are no frames, followed by a whole one.
        position: where to read on; everything before it is in ``found`` or ``damaged``.
    """

    found: list[Found]
    damaged: list[tuple[int, int]]
    position: int


def scan(data: bytes | memoryview, magic: bytes, base: int = 0) -> Scan:
    """Find the frames in a stretch of a segment.

    Args:
        data: bytes of the segment, beginning at a frame or at damage.
        magic: the segment's magic.
        base: position of ``data`` in the segment; all positions in the result are the segment's.
    """
    view = memoryview(data)
    raw = view.obj if isinstance(view.obj, bytes) and len(view.obj) == len(view) else bytes(view)
    found: list[Found] = []
    damaged: list[tuple[int, int]] = []
    position, length = 0, len(raw)
    while position < length:
        end = _frame_end(raw, view, position, magic)
        if end:
            found.append(Found(base + position, base + end, view[position + PREFIX.size : end]))
            position = end
            continue
        resumed = next_frame(raw, view, position + 1, magic)
        if resumed is None:
            break
        damaged.append((base + position, base + resumed))
        position = resumed
    return Scan(found, damaged, base + position)


def _frame_end(raw: bytes, view: memoryview, position: int, magic: bytes) -> int:
    """Where the frame at a position ends; 0 if there is none."""
    if len(raw) - position < PREFIX.size:
        return 0
    found_magic, length, checksum = PREFIX.unpack_from(raw, position)
    end: int = position + PREFIX.size + length
    if found_magic != magic or not MIN_BODY_BYTES <= length <= MAX_FRAME_BYTES or end > len(raw):
        return 0
    return end if crc32(view[position + PREFIX.size : end]) == checksum else 0


def next_frame(raw: bytes, view: memoryview, position: int, magic: bytes) -> int | None:
    """The next position at which a whole frame begins, None if there is none.

    Args:
        raw: bytes of the segment.
        view: the same bytes.
        position: where to begin.
        magic: the segment's magic.
    """
    while (position := raw.find(magic, position)) >= 0:
        if _frame_end(raw, view, position, magic):
            return position
        position += 1
    return None
