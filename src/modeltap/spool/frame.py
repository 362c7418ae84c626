"""The frame: what one ``collect()`` call (or a part of a large one) puts into a segment.

Promises: a frame is whole or it is not a frame (length and crc32); it explains itself (key, column
names and types travel in it), so damage costs only the frames it touches; at most 1 MiB.

Bytes, little endian::

    offset  size  field
    0       8     magic of the segment: random, so no cell can forge a frame
    8       4     length of the body (u32)
    12      4     crc32 of the body (u32)
    16      4     D, length of the descriptor (u32)                   | body
    20      D     descriptor, UTF-8 JSON compressed with zlib, the    |
                  same for all frames of a collector and schema       |
    20+D    8     sequence, unique per writer (u64)                   |
            8     instant of collect(), us since 1970 UTC (i64)       |
            4     UTC day of the rows, days since 1970 (i32)          |
            4     rows N (u32)                                        |
            4     $Row of the first row, 2^32-1 for none (u32)        |
            8     sample percent (f64)                                |
            1     flags: 1 = ids per row                              |
            2,2,2 lengths R, C, H of the ids that follow (u16 each)   |
            R     request id, UTF-8                                   |
            C     correlation id, UTF-8                               |
            H     host request id, UTF-8                              |
            [4 L  with flag 1: length L (u32) and JSON                |
             ]    {"request_id": [N], "correlation_id": [N],          |
                  "row": [N, null for none]}, each key optional       |
            ...   payload, to the end of the body                     |

Descriptor: ``{"key": [tree, subscription, resource group, workspace, service, model, version,
designation], "columns": [[name, type], ...], "layout": L}``. Layouts of N rows x F columns:

``float64`` ``int64`` ``bool``
    N*F values of 8, 8, 1 bytes, row by row.
``cells``
    a JSON array of N*F cells, column by column: null, true/false (bool), a number (int64, float64
    with NaN, Infinity, -Infinity), or text (decimal, string, timestamp, base64 of binary, JSON text).
``columns``
    F times: code (1 byte: ``d`` float64, ``q`` int64, ``?`` bool, ``j`` a JSON array of N cells as
    above), length (u32), bytes.
"""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from struct import Struct
from sys import byteorder
from typing import Any, NamedTuple
from zlib import compress, crc32, decompressobj
from zlib import error as ZlibError

from modeltap.core.key import CollectionKey
from modeltap.core.schema import Schema
from modeltap.errors import FrameError

MAX_FRAME_BYTES = 1 << 20
MAX_DESCRIPTOR_BYTES = 8 << 20
"""Of the text, decompressed: a damaged or hostile one must not fill the memory."""
NO_ROW = 0xFFFFFFFF
IDS_PER_ROW = 1

PREFIX = Struct("<8sII")
LENGTH = Struct("<I")
FIXED = Struct("<QqiIIdBHHH")
MIN_BODY_BYTES = LENGTH.size + FIXED.size
"""A magic with zeros behind it would else be an empty frame whose checksum holds."""
PART = Struct("<BI")
BLOCK_CODES = {"float64": "d", "int64": "q", "bool": "B"}
PART_LAYOUTS = {"d": "float64", "q": "int64", "?": "bool"}
PAYLOAD_ERRORS = (ValueError, TypeError, KeyError, IndexError, RecursionError, struct.error)
"""What reading bytes raises that are not laid out as the table says."""

_from_json = json.JSONDecoder().decode


@dataclass(frozen=True)
class Descriptor:
    """The part of a frame that all frames of a collector and schema share."""

    key: CollectionKey
    schema: Schema
    layout: str

    @cached_property
    def encoded(self) -> bytes:
        """Length and text, as they stand at the front of a frame's body."""
        document = {
            "key": [self.key.tree, *self.key.parts],
            "columns": self.schema.columns,
            "layout": self.layout,
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        packed = compress(text, 9)  # a third of the bytes of every write: 1.9 KB become 0.3 KB at 100 columns
        return LENGTH.pack(len(packed)) + packed

    @cached_property
    def crc(self) -> int:
        """crc32 of ``encoded``: the checksum of a frame goes on from here."""
        return crc32(self.encoded)


@lru_cache(maxsize=4096)
def read_descriptor(packed: bytes) -> Descriptor:
    """Read a descriptor; equal bytes give the same object.

    Raises:
        FrameError: it is not laid out as the module's table says.
    """
    try:
        document = json.loads(decompressobj().decompress(packed, MAX_DESCRIPTOR_BYTES))
        tree, *parts = document["key"]
        columns = tuple((str(name), str(kind)) for name, kind in document["columns"])
        found = Descriptor(CollectionKey.of(parts, tree), Schema(columns), document["layout"])
    except (*PAYLOAD_ERRORS, ZlibError) as error:
        raise FrameError(f"reading a frame's descriptor: {error!r}; the frame is set aside") from error
    found.__dict__["encoded"] = LENGTH.pack(len(packed)) + packed  # as written, whatever compressor wrote it
    return found


class RowIds(NamedTuple):
    """Ids row by row; a field that is None is the frame's own for every row."""

    request_id: list[str] | None = None
    correlation_id: list[str] | None = None
    row: list[int | None] | None = None

    def encoded(self) -> bytes:
        """Length and JSON, as they stand before the payload."""
        document = {name: value for name, value in self._asdict().items() if value is not None}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return LENGTH.pack(len(text)) + text


class Frame(NamedTuple):
    """One frame, read."""

    descriptor: Descriptor
    sequence: int
    timestamp_us: int
    day: int
    rows: int
    first_row: int
    sample_percent: float
    request_id: str
    correlation_id: str
    host_request_id: str
    row_ids: RowIds | None
    payload: memoryview


def encode_frame(
    magic: bytes,
    descriptor: Descriptor,
    *,
    sequence: int,
    timestamp_us: int,
    day: int,
    rows: int,
    payload: bytes,
    first_row: int = NO_ROW,
    sample_percent: float = 100.0,
    request_id: str = "",
    correlation_id: str = "",
    host_request_id: str = "",
    row_ids: RowIds | None = None,
) -> bytes:
    """Build one frame.

    Raises:
        FrameError: the frame would be larger than 1 MiB, or an id longer than 65,535 bytes.
    """
    ids = (request_id.encode(), correlation_id.encode(), host_request_id.encode())
    lengths = [len(text) for text in ids]
    if max(lengths) > 0xFFFF:
        raise FrameError("building a frame: an id is longer than 65,535 bytes; send a shorter one")
    fixed = FIXED.pack(
        sequence, timestamp_us, day, rows, first_row, sample_percent, IDS_PER_ROW if row_ids else 0, *lengths
    )
    body = b"".join((fixed, *ids, row_ids.encoded() if row_ids else b"", payload))
    return assemble(magic, descriptor, body)


def assemble(magic: bytes, descriptor: Descriptor, body: bytes) -> bytes:
    """Put magic, length and checksum before a descriptor and the rest of a frame's body.

    Raises:
        FrameError: the frame would be larger than 1 MiB.
    """
    head = descriptor.encoded
    length = len(head) + len(body)
    if length > MAX_FRAME_BYTES - PREFIX.size:
        raise FrameError(f"building a frame: it has {length} bytes, at most {MAX_FRAME_BYTES} fit")
    return b"".join((PREFIX.pack(magic, length, crc32(body, descriptor.crc)), head, body))


def decode_frame(body: memoryview) -> Frame:
    """Read the body of a frame whose checksum holds.

    Raises:
        FrameError: the body is not laid out as the module's table says.
    """
    try:
        (descriptor_length,) = LENGTH.unpack_from(body)
        position = 4 + descriptor_length
        descriptor = read_descriptor(bytes(body[4:position]))
        sequence, timestamp_us, day, rows, first_row, percent, flags, *lengths = FIXED.unpack_from(body, position)
        position += FIXED.size
        ids: list[str] = []
        for length in lengths:
            ids.append(str(body[position : position + length], "utf-8"))
            position += length
        request_id, correlation_id, host_request_id = ids
        row_ids = None
        if flags & IDS_PER_ROW:
            (length,) = LENGTH.unpack_from(body, position)
            row_ids = RowIds(**json.loads(bytes(body[position + 4 : position + 4 + length])))
            position += 4 + length
        return Frame(
            descriptor,
            sequence,
            timestamp_us,
            day,
            rows,
            first_row,
            percent,
            request_id,
            correlation_id,
            host_request_id,
            row_ids,
            body[position:],
        )
    except PAYLOAD_ERRORS as error:
        raise FrameError(f"reading a frame: {error!r}; the frame is set aside") from error


def decode_columns(frame: Frame) -> list[list[Any]]:
    """The cells of a frame, one list per column, as ``cells`` holds them (text, numbers, bool, None).

    Raises:
        FrameError: the payload does not hold ``rows`` x columns cells.
    """
    width = len(frame.descriptor.schema.columns)
    try:
        columns = _columns(frame, width)
    except PAYLOAD_ERRORS as error:
        raise FrameError(f"reading a frame's payload: {error!r}; it is set aside") from error
    if len(columns) != width or any(len(column) != frame.rows for column in columns):
        raise FrameError(f"reading a frame: its payload is not {frame.rows} rows x {width} columns; it is set aside")
    return columns


def _columns(frame: Frame, width: int) -> list[list[Any]]:
    layout, rows = frame.descriptor.layout, frame.rows
    if layout == "columns":
        return [part_values(code, part) for code, part in column_parts(frame.payload)]
    cells = json_list(frame.payload) if layout == "cells" else block_values(layout, frame.payload)
    if len(cells) != rows * width:
        raise ValueError(f"it holds {len(cells)} cells")
    if layout == "cells":
        return [cells[column * rows : (column + 1) * rows] for column in range(width)]
    return [cells[column::width] for column in range(width)]


def block_values(layout: str, payload: memoryview | bytes) -> list[Any]:
    """The values of a binary block as Python numbers or bools."""
    values = array(BLOCK_CODES[layout])
    values.frombytes(payload)
    if byteorder == "big" and values.itemsize > 1:
        values.byteswap()
    return [value != 0 for value in values] if layout == "bool" else values.tolist()


def column_parts(payload: memoryview) -> Iterator[tuple[str, bytes]]:
    """Code and bytes of each column of the layout ``columns``, in order."""
    raw = bytes(payload)
    position = 0
    while position < len(raw):
        code, length = PART.unpack_from(raw, position)
        position += PART.size
        yield chr(code), raw[position : position + length]
        position += length
    if position > len(raw):
        raise ValueError("the last column ends behind the payload")


def part_values(code: str, part: bytes) -> list[Any]:
    """The cells of one column of the layout ``columns``."""
    return json_list(part) if code == "j" else block_values(PART_LAYOUTS[code], part)


def json_list(text: memoryview | bytes) -> list[Any]:
    """The cells of a JSON array."""
    values = _from_json(str(text, "utf-8"))
    if type(values) is not list:
        raise ValueError("the JSON is no list")
    return values
