"""The reference encoder: frames to CSV rows with the standard library alone.

Promises: every frame is written wholly or refused with ``FrameError``; rows keep the order of the frames;
the bytes are those that ``core.dialect`` describes. It is the oracle that ``bulk`` is compared with byte for
byte, and the encoder of an install without extras. Written to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from modeltap.core.dialect import ROW_END
from modeltap.core.schema import BOOL, FLOAT64, INT64, Schema
from modeltap.shipping.cells import float_text, percent_text, quoted, timestamp_text
from modeltap.shipping.fit import fitted, positions, refused, row_ids
from modeltap.spool.frame import Frame, decode_columns

RUN_BYTES = 1 << 18
"""Of payload: as Python numbers and texts it takes up to 100 times that."""

_WRITERS: dict[str, Callable[[Any], str]] = {BOOL: str, INT64: str, FLOAT64: float_text}
"""Every other type travels as text."""


def encode_rows(schema: Schema, frames: Sequence[Frame]) -> bytes:
    """Write frames as the rows of a data file.

    Args:
        schema: the file's schema.
        frames: frames whose columns fit it, in the order in which their rows shall stand.

    Returns:
        UTF-8 text of as many rows as the frames have, each ended by CR LF, without the header.

    Raises:
        FrameError: a frame's payload does not decode or does not fit the file; nothing was written.
    """
    try:
        return b"".join(_rows(schema, run).encode() for run in _runs(frames))
    except (ValueError, OverflowError) as error:
        raise refused(error) from error


def _runs(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Consecutive frames of one descriptor; a run is one frame, or at most ``RUN_BYTES`` of payload."""
    run: list[Frame] = []
    size = 0
    for frame in frames:
        if run and (frame.descriptor is not run[0].descriptor or size + len(frame.payload) > RUN_BYTES):
            yield run
            run, size = [], 0
        run.append(frame)
        size += len(frame.payload)
    if run:
        yield run


def _rows(schema: Schema, run: list[Frame]) -> str:
    columns = [*_leading(run), *_features(schema, run)]
    return "".join(",".join(cells) + ROW_END for cells in zip(*columns, strict=True))


def _leading(run: list[Frame]) -> list[list[str]]:
    """The columns that modeltap puts in front, in the order of ``core.dialect.LEADING``."""
    return [_flat(parts) for parts in zip(*map(_leading_of, run), strict=True)]


def _leading_of(frame: Frame) -> Iterator[list[str]]:
    ids = row_ids(frame)
    yield [timestamp_text(frame.timestamp_us)] * frame.rows
    yield _texts(ids.correlation_id, quoted)
    yield _texts(ids.request_id, quoted)
    yield _texts([frame.host_request_id or None], quoted) * frame.rows
    yield _texts(ids.row, str)
    yield [percent_text(frame.sample_percent)] * frame.rows


def _features(schema: Schema, run: list[Frame]) -> Iterator[list[str]]:
    given = run[0].descriptor.schema
    places = positions(schema, given)
    columns = [_flat(parts) for parts in zip(*map(decode_columns, run), strict=True)]
    for place, kind in zip(places, schema.types, strict=True):
        cells = fitted(given.types[place], kind, columns[place])
        yield _texts(cells, _WRITERS.get(kind, quoted))


def _flat(parts: Sequence[list[Any]]) -> list[Any]:
    return list(chain.from_iterable(parts))


def _texts(cells: Sequence[Any], write: Callable[[Any], str]) -> list[str]:
    """Null is the empty cell, whatever the type."""
    return ["" if cell is None else write(cell) for cell in cells]
