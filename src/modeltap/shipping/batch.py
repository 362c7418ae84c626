"""The batch: frames of one data file, encoded once, with an identity that makes committing it twice a no-op.

Promises: a batch is resent only from its stored bytes, so no upgrade of an encoder can change it; its file
explains itself, so a damaged ledger line costs nothing; a flipped bit or a cut anywhere in it is noticed.

The file ``intents/<batch id>.bytes`` (and the same file in ``quarantine/``)::

    MODELTAP-BATCH 1 <crc32 of the JSON, 8 hex digits> <JSON of the batch>\\n
    the bytes, as long as the JSON says, with the SHA-256 that it says

The JSON of a batch::

    id          32 hex digits, random: unique over all writers
    path        of the data file; empty when the rows have none
    position    committed size of the data file that the batch is sent to
    length      bytes
    sha256      of the bytes, in hex digits
    ranges      {segment: {group: [from, to]}}: all frames of that group that begin in [from, to)
    key         [tree, subscription, resource group, workspace, service, model, version, designation]
    day         UTC day, days since 1970
    schema      id of the data file's schema
    rows        {writer stem: rows}
    first_us    instant of the earliest row, microseconds since 1970 UTC
    last_us     instant of the latest row

A **group** is what decides where a frame goes: key, day, frame schema, and whether its int64 cells may
become floats. Its id is 16 hex digits that follow from the frame alone, so it means the same after a restart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from zlib import crc32

from modeltap.core.key import CollectionKey
from modeltap.errors import FormatTooNew, FrameError

SUFFIX = ".bytes"
FORMAT = 1
_SIGNATURE = b"MODELTAP-BATCH "
_MAX_FRONT_BYTES = 64 << 20


@dataclass(frozen=True)
class Batch:
    """What a batch is; see the module's text for each field."""

    id: str
    path: str
    position: int
    length: int
    sha256: str
    ranges: Mapping[str, Mapping[str, tuple[int, int]]]
    key: CollectionKey
    day: int
    schema: str
    rows: Mapping[str, int]
    first_us: int
    last_us: int

    def to_document(self) -> dict[str, Any]:
        """As plain values."""
        return {**vars(self), "key": [self.key.tree, *self.key.parts]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Batch:
        """Read a batch back.

        Raises:
            FrameError: it is none.
        """
        try:
            names: Any = document["key"]
            ranges = {
                segment: {group: (int(start), int(end)) for group, (start, end) in groups.items()}
                for segment, groups in document["ranges"].items()
            }
            return cls(**{**document, "key": replace(CollectionKey(*names[1:]), tree=names[0]), "ranges": ranges})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FrameError(f"reading a batch: {error!r}; it is set aside") from error

    def at(self, position: int) -> Batch:
        """The same batch, sent to another position."""
        return replace(self, position=position)

    @property
    def total_rows(self) -> int:
        """Rows of all writers."""
        return sum(self.rows.values())


def encode_front(batch: Batch) -> bytes:
    """The line before a batch's bytes."""
    text = json.dumps(batch.to_document(), ensure_ascii=True, separators=(",", ":")).encode()
    return b"%b%d %08x %b\n" % (_SIGNATURE, FORMAT, crc32(text), text)


def decode_file(data: bytes) -> tuple[Batch, bytes]:
    """Read a batch's file.

    Returns:
        The batch and its bytes, whole.

    Raises:
        FormatTooNew: written by a newer modeltap.
        FrameError: damaged.
    """
    end = data.find(b"\n", 0, _MAX_FRONT_BYTES)
    words = data[: max(end, 0)].split(b" ", 3)
    if len(words) != 4 or words[0] + b" " != _SIGNATURE or not words[1].isdigit():
        raise FrameError("reading a batch's file: it does not begin as one; it is set aside")
    if int(words[1]) > FORMAT:
        raise FormatTooNew(f"reading a batch's file: its format is newer than {FORMAT}; upgrade modeltap")
    if words[2] != b"%08x" % crc32(words[3]):
        raise FrameError("reading a batch's file: its front is damaged; it is set aside")
    batch, body = Batch.from_document(json.loads(words[3])), data[end + 1 :]
    if len(body) != batch.length or sha256(body).hexdigest() != batch.sha256:
        raise FrameError("reading a batch's file: its bytes are damaged; it is set aside")
    return batch, body
