"""The position file: the commit record of one data file, and the file that its writers lock.

Promises: a reader finds the last commit whole or not at all, also while a writer is at work and after a
power loss in the middle of one (each slot has its own checksum, and the slots of earlier commits stand);
the file never grows with the number of commits; it is never removed or replaced while its data file stands.

Bytes, little endian::

    offset  size     field
    0       8        b"MODELPOS"
    8       2        format version (u16): 1; a newer one is refused and left alone
    10      2        slots S (u16): 32
    12      4        J, length of the JSON (u32)
    16      4        crc32 of bytes 0..16 (u32): every version begins with these 20 bytes
    20      4        crc32 of the JSON (u32)
    24      40       zero
    64      64 S     slots; generation g stands in slot g mod S:
        0       8    generation (u64), counts commits from 1; 0 in an empty slot
        8       8    start of the batch in the data file (u64)
        16      8    its end: the committed size (u64)
        24      16   identity of the batch (modeltap.stores.commits), zero for the header line
        40      20   zero
        60      4    crc32 of bytes 0..60 (u32)
    64+64S  J        JSON {"header": base64 of the header line, "metadata": {...}}

A record without any commit belongs to a data file that is being made: it is absent, whatever stands there
of its header line.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from zlib import crc32

from modeltap.errors import StoreDenied
from modeltap.stores.commits import HEADER_IDENTITY, REMEMBERED, Commit

SIGNATURE = b"MODELPOS"
VERSION = 1
SUFFIX = ".pos"
_FRONT = Struct("<8sHHI")
_CHECK = Struct("<I")
_SLOT = Struct("<QQQ16s20sI")
SLOTS_START = 64
SLOTS_END = SLOTS_START + REMEMBERED * _SLOT.size
NO_SLOTS = bytes(SLOTS_END - SLOTS_START)
NOTHING = Commit(0, 0, 0, HEADER_IDENTITY)


@dataclass(frozen=True)
class Record:
    """A position file, read.

    Attributes:
        header: the header line of the data file.
        metadata: as given to ``create``.
        slots: the slots as they stand in the file.
    """

    header: bytes
    metadata: Mapping[str, str]
    slots: bytes = NO_SLOTS

    @cached_property
    def commits(self) -> tuple[Commit, ...]:
        """The last commits, oldest first, without gaps; empty while the file is being made."""
        commits: list[Commit] = []
        for commit in _newest_first(self.slots):
            if commits and (commit.generation, commit.end) != (commits[-1].generation - 1, commits[-1].start):
                break
            commits.append(commit)
        return tuple(reversed(commits))

    @cached_property
    def last(self) -> Commit:
        """The last commit; while the file is being made one of generation 0 that ends at 0."""
        return next(_newest_first(self.slots), NOTHING)


def encode_record(record: Record) -> bytes:
    """Build a position file."""
    document = {"header": b64encode(record.header).decode(), "metadata": dict(record.metadata)}
    text = json.dumps(document, separators=(",", ":")).encode()
    front = _FRONT.pack(SIGNATURE, VERSION, REMEMBERED, len(text))
    front += _CHECK.pack(crc32(front)) + _CHECK.pack(crc32(text))
    return front.ljust(SLOTS_START, b"\0") + record.slots + text


def encode_commit(commit: Commit) -> tuple[int, bytes]:
    """Where a commit stands in the position file, and its slot."""
    offset = SLOTS_START + commit.generation % REMEMBERED * _SLOT.size
    slot = _SLOT.pack(commit.generation, commit.start, commit.end, commit.identity, bytes(20), 0)[:-4]
    return offset, slot + _CHECK.pack(crc32(slot))


def decode_record(data: bytes, path: str = "") -> Record | None:
    """Read a position file; None when it is empty, cut or damaged: then nothing is recorded.

    Args:
        data: the whole file.
        path: of the data file, for the message of an error.

    Raises:
        StoreDenied: written by a newer modeltap.
    """
    front = data[: _FRONT.size]
    if len(data) < SLOTS_START or _CHECK.pack(crc32(front)) != data[_FRONT.size : _FRONT.size + _CHECK.size]:
        return None
    signature, version, slots, length = _FRONT.unpack(front)
    if signature == SIGNATURE and version > VERSION:
        raise StoreDenied(
            f"reading the commit record of {path}: its format {version} is newer than {VERSION}; upgrade modeltap"
        )
    text = data[SLOTS_END : SLOTS_END + length]
    (checksum,) = _CHECK.unpack_from(data, _FRONT.size + _CHECK.size)
    if (signature, slots, len(text), crc32(text)) != (SIGNATURE, REMEMBERED, length, checksum):
        return None
    document = json.loads(text)
    return Record(b64decode(document["header"]), document["metadata"], data[SLOTS_START:SLOTS_END])


def _newest_first(slots: bytes) -> Iterator[Commit]:
    """The commits whose slots are whole."""
    for generation, start, end, identity, _, _ in sorted(_SLOT.iter_unpack(slots), reverse=True):
        commit = Commit(generation, start, end, identity)
        offset, slot = encode_commit(commit)
        if generation and slots[offset - SLOTS_START : offset - SLOTS_START + _SLOT.size] == slot:
            yield commit
