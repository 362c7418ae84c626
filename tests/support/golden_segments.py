"""The golden segments: stored bytes, and what must be read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from modeltap.core.key import CollectionKey
from modeltap.spool.frame import NO_ROW, Frame, RowIds, decode_columns, decode_frame
from modeltap.spool.segment import Found, decode_header, scan

FOLDER = Path(__file__).parents[1] / "golden" / "spool"
MAGIC = b"8 bytes."
NAMES = ("blocks", "cells", "columns", "ids", "keys")


class Golden(NamedTuple):
    """One segment and its expected content."""

    data: bytes
    document: dict[str, Any]
    frames: list[dict[str, Any]]

    @property
    def header_length(self) -> int:
        return self.frames[0]["start"]


def golden(name: str) -> Golden:
    """Read a golden segment and its expectation."""
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Golden((FOLDER / f"{name}.seg").read_bytes(), expected["document"], expected["frames"])


def all_frames() -> bytes:
    """One segment with the frames of all golden ones: a few KB of every layout."""
    parts = [golden(name) for name in NAMES]
    return parts[0].data + b"".join(part.data[part.header_length :] for part in parts[1:])


def found_in(data: bytes) -> list[Found]:
    """The frames of a whole segment."""
    header = decode_header(data)
    assert header is not None
    scanned = scan(data[header.length :], header.magic, header.length)
    assert not scanned.damaged
    assert scanned.position == len(data)
    return scanned.found


def as_expected(found: Found) -> dict[str, Any]:
    """A frame in the form of an expectation."""
    frame: Frame = decode_frame(found.body)
    ids = None if frame.row_ids is None else {k: v for k, v in frame.row_ids._asdict().items() if v is not None}
    return {
        "key": [frame.descriptor.key.tree, *frame.descriptor.key.parts],
        "columns": [list(column) for column in frame.descriptor.schema.columns],
        "layout": frame.descriptor.layout,
        "sequence": frame.sequence,
        "timestamp_us": frame.timestamp_us,
        "day": frame.day,
        "rows": frame.rows,
        "first_row": None if frame.first_row == NO_ROW else frame.first_row,
        "sample_percent": frame.sample_percent,
        "request_id": frame.request_id,
        "correlation_id": frame.correlation_id,
        "host_request_id": frame.host_request_id,
        "row_ids": ids,
        "cells": decode_columns(frame),
        "start": found.start,
        "end": found.end,
        "descriptor_bytes": len(frame.descriptor.encoded) - 4,
        "payload_bytes": len(frame.payload),
    }


def key_of(parts: list[str]) -> CollectionKey:
    """The key of an expectation."""
    tree, *names = parts
    return CollectionKey.of(names, tree)


def row_ids_of(expected: dict[str, Any] | None) -> RowIds | None:
    """The ids row by row of an expectation."""
    return None if expected is None else RowIds(**expected)
