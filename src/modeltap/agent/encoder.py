"""The agent's encoder: starts at once, and grows when there is work for it.

Importing polars takes a second of processor time and 60 MB, as much as a small service needs in a day. Both
encoders write the same bytes, so the first 4 MiB of payload go through the reference encoder unless a batch is
larger than 256 KiB: the first row is in the store before polars would be loaded, and a quiet agent stays small.

In a process that was forked from one in which polars was loaded it stays with the reference encoder: the threads
of polars do not come along, and it would wait for them for ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from modeltap.core.schema import Schema
from modeltap.shipping import reference
from modeltap.shipping.encoding import REFERENCE, Encoder, choose
from modeltap.spool.frame import Frame

SMALL_BATCH_BYTES = 256 << 10
SMALL_WORK_BYTES = 4 << 20

_inherited = False


class GrowingEncoder:
    """Encodes frames; see ``modeltap.shipping.encoding.Encoder``.

    Attributes:
        name: of the encoder at work, ``reference`` or ``bulk``.
    """

    def __init__(self) -> None:
        self.name = REFERENCE
        self._encode: Encoder = reference.encode_rows
        self._grown = _inherited
        self._bytes = 0

    def __call__(self, schema: Schema, frames: Sequence[Frame]) -> bytes:
        """Write frames as rows."""
        if not self._grown:
            size = sum(len(frame.payload) for frame in frames)
            self._bytes += size
            if size > SMALL_BATCH_BYTES or self._bytes > SMALL_WORK_BYTES:
                self._grown = True
                self._encode, self.name = choose()
        return self._encode(schema, frames)


def _note_fork() -> None:
    global _inherited
    _inherited = "polars" in sys.modules


os.register_at_fork(after_in_child=_note_fork)
