"""The choice between the two encoders.

Promise: whichever is chosen, the bytes are the same. The bulk encoder is taken when polars and numpy can be
imported and this version of polars prints a probe exactly as the reference does (older ones write ``1e16``
for ``1e+16``); otherwise the reference encoder is, which is slower and needs nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from modeltap.core.key import CollectionKey
from modeltap.core.schema import BOOL, FLOAT64, STRING, Schema
from modeltap.shipping import reference
from modeltap.spool.frame import Descriptor, Frame

Encoder = Callable[[Schema, Sequence[Frame]], bytes]
"""Target schema and frames -> CSV rows; ``FrameError`` when a frame does not fit or decode."""

BULK, REFERENCE = "bulk", "reference"

_PROBE: dict[str, list[Any]] = {
    FLOAT64: [3.0, -0.0, 1e-5, 1.5e-6, 5e-324, 9999999999999998.0, 1e16, 1.5e300, float("nan"), float("-inf"), None],
    STRING: ["", " a ", 'a"b', "a,b", "a\rb", "a\nb", "007", "NaN", "\0", "\ufeff", None],
    BOOL: [True, False, None] * 3 + [True, False],
}

_log = logging.getLogger("modeltap")


def choose() -> tuple[Encoder, str]:
    """The fastest encoder of this installation.

    Returns:
        The encoder and its name, ``bulk`` or ``reference``.
    """
    try:
        from modeltap.shipping import bulk
    except ImportError:
        return reference.encode_rows, REFERENCE
    if agrees(bulk.encode_rows):
        return bulk.encode_rows, BULK
    _log.warning(
        "choosing an encoder: this version of polars prints cells in another form, so rows are written by the "
        'slower standard-library encoder; pip install --upgrade "modeltap[fast]"'
    )
    return reference.encode_rows, REFERENCE


def agrees(encoder: Encoder) -> bool:
    """Whether an encoder writes the probe, one cell of each hard kind, as the reference does."""
    schema = Schema(tuple((kind, kind) for kind in _PROBE))
    rows = len(_PROBE[FLOAT64])
    payload = json.dumps([cell for cells in _PROBE.values() for cell in cells]).encode()
    descriptor = Descriptor(CollectionKey("", "", "", "", "", "", ""), schema, "cells")
    frame = Frame(descriptor, 0, 0, 0, rows, 0, 12.5, "probe", "", "", None, memoryview(payload))
    return encoder(schema, [frame]) == reference.encode_rows(schema, [frame])
