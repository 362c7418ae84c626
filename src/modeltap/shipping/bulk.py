"""The bulk encoder: frames to CSV rows with numpy and polars.

Promises: byte for byte what ``reference`` writes, and ``FrameError`` for the same frames; rows keep the order
of the frames, whatever their descriptors; beside frames and result it holds the working memory of one chunk of
2 MiB of payload (some 20 MB).

Binary blocks of one descriptor are joined and seen as one numpy array, never as Python numbers; polars
prints them. Text and mixed cells go through Python once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import chain, repeat
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeltap.core.dialect import ROW_END
from modeltap.core.schema import BOOL, FLOAT64, INT64, Schema
from modeltap.shipping.cells import FIRST_TIMESTAMP_US, LAST_TIMESTAMP_US, percent_text
from modeltap.shipping.fit import Ids, fitted, positions, refused, row_ids
from modeltap.spool.frame import (
    BLOCK_CODES,
    NO_ROW,
    PART_LAYOUTS,
    PAYLOAD_ERRORS,
    Frame,
    column_parts,
    decode_columns,
    json_list,
    part_values,
)

CHUNK_BYTES = 2 << 20
"""Of payload: large enough that the 0.5 ms of one ``write_csv`` vanish, small enough for the processor's cache."""

_TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S%.6f"
_NUMPY: dict[str, np.dtype[Any]] = {FLOAT64: np.dtype("<f8"), INT64: np.dtype("<i8"), BOOL: np.dtype("u1")}
_POLARS: dict[str, pl.DataType] = {FLOAT64: pl.Float64(), INT64: pl.Int64()}
"""Every other type is written from text; bool too, because polars writes ``true``."""
_WORDS = {True: "True", False: "False"}

Block = NDArray[Any]


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
    output = BytesIO()
    for chunk in _chunks(frames):
        try:
            columns = [*_leading(chunk), *_features(schema, chunk)]
        except (*PAYLOAD_ERRORS, OverflowError) as error:
            raise refused(error) from error
        table = pl.DataFrame([column.alias(str(place)) for place, column in enumerate(columns)])
        table.write_csv(output, include_header=False, line_terminator=ROW_END, datetime_format=_TIMESTAMP_FORMAT)
    return output.getvalue()


def _chunks(frames: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
    start = size = 0
    for end, frame in enumerate(frames, 1):
        size += len(frame.payload)
        if size >= CHUNK_BYTES or end == len(frames):
            yield frames[start:end]
            start, size = end, 0


# ---- the columns that modeltap puts in front


def _leading(frames: Sequence[Frame]) -> list[pl.Series]:
    """Timestamp, correlation id, request id, host request id, row, sample percent: a cell per row."""
    counts = [frame.rows for frame in frames]
    ids = _ids(frames, counts)
    return [
        _timestamps(_spread((frame.timestamp_us for frame in frames), counts)),
        _text(ids.correlation_id),
        _text(ids.request_id),
        _text(_spread((frame.host_request_id or None for frame in frames), counts)),
        pl.Series(values=ids.row, dtype=pl.Int64),
        _text(_spread(_percents(frames), counts)),
    ]


def _spread(values: Iterable[Any], counts: list[int]) -> list[Any]:
    """One value per frame -> one per row."""
    return list(chain.from_iterable(map(repeat, values, counts)))


def _ids(frames: Sequence[Frame], counts: list[int]) -> Ids:
    if counts.count(1) < len(counts) or any(frame.row_ids is not None for frame in frames):
        parts = zip(*map(row_ids, frames), strict=True)
        return Ids(*(list(chain.from_iterable(column)) for column in parts))
    return Ids(
        [frame.request_id or None for frame in frames],
        [frame.correlation_id or None for frame in frames],
        [None if frame.first_row == NO_ROW else frame.first_row for frame in frames],
    )


def _timestamps(microseconds: list[int]) -> pl.Series:
    if microseconds and not FIRST_TIMESTAMP_US <= min(microseconds) <= max(microseconds) <= LAST_TIMESTAMP_US:
        raise refused("its timestamp is not within the years 1 to 9999")
    return pl.Series(values=microseconds, dtype=pl.Int64).cast(pl.Datetime("us"))


def _percents(frames: Sequence[Frame]) -> Iterator[str]:
    texts = {percent: percent_text(percent) for percent in {frame.sample_percent for frame in frames}}
    return (texts[frame.sample_percent] for frame in frames)


def _text(cells: list[Any]) -> pl.Series:
    return pl.Series(values=cells, dtype=pl.String)


# ---- the features


def _features(schema: Schema, frames: Sequence[Frame]) -> list[pl.Series]:
    """The file's columns; frames of one descriptor are decoded together, then put back into their order."""
    groups: dict[int, list[int]] = {}
    for number, frame in enumerate(frames):
        groups.setdefault(id(frame.descriptor), []).append(number)
    parts = [_decoded(schema, [frames[number] for number in numbers]) for numbers in groups.values()]
    if len(parts) == 1:
        return parts[0]
    order = _order(frames, groups.values())
    return [pl.concat(column).gather(order) for column in zip(*parts, strict=True)]


def _order(frames: Sequence[Frame], groups: Iterable[list[int]]) -> Block:
    """For each row of the file, its place among the rows of all groups, one group after the other."""
    ends = np.cumsum([frame.rows for frame in frames])
    rows = [np.arange(ends[number] - frames[number].rows, ends[number]) for numbers in groups for number in numbers]
    return np.argsort(np.concatenate(rows))


def _decoded(schema: Schema, frames: list[Frame]) -> list[pl.Series]:
    """The file's columns from frames of one descriptor."""
    descriptor = frames[0].descriptor
    given, layout = descriptor.schema.types, descriptor.layout
    places = positions(schema, descriptor.schema)
    if layout in BLOCK_CODES and set(given) == {layout}:
        blocks = _block_columns(layout, len(given), frames)
        return [_numbers(blocks[place], layout, kind) for place, kind in zip(places, schema.types, strict=True)]
    if layout == "columns":
        parts = _parts(len(given), frames)
        return [
            _part_column(given[place], kind, frames, parts[place])
            for place, kind in zip(places, schema.types, strict=True)
        ]
    cells = _cells(len(given), frames)
    return [_series(given[place], kind, cells[place]) for place, kind in zip(places, schema.types, strict=True)]


def _block_columns(layout: str, width: int, frames: list[Frame]) -> Block:
    """The payloads of a binary layout as one array, columns first."""
    values = _joined(layout, width, frames, [frame.payload for frame in frames])
    return np.ascontiguousarray(values.reshape(-1, width).T)


def _joined(layout: str, width: int, frames: list[Frame], payloads: Sequence[memoryview | bytes]) -> Block:
    row_bytes = width * _NUMPY[layout].itemsize
    if any(len(payload) != frame.rows * row_bytes for frame, payload in zip(frames, payloads, strict=True)):
        raise refused(f"its payload is not as long as its rows of {row_bytes} bytes")
    return np.frombuffer(b"".join(payloads), _NUMPY[layout])


def _numbers(values: Block, given: str, kind: str) -> pl.Series:
    if kind == BOOL:
        return pl.Series(values=["False", "True"]).gather(values != 0)
    if given == kind:
        return pl.Series(values=values)
    with np.errstate(invalid="ignore"):  # 2^63 as a float has no integer to go back to: it compares unequal
        floats = values.astype(np.float64)
        if not np.array_equal(floats.astype(np.int64), values):
            raise refused("a float64 column holds an integer that is no float64")
    return pl.Series(values=floats)


def _parts(width: int, frames: list[Frame]) -> list[tuple[tuple[str, bytes], ...]]:
    """Of the layout ``columns``: for each column its code and bytes in every frame."""
    parts = [tuple(column_parts(frame.payload)) for frame in frames]
    if any(len(columns) != width for columns in parts):
        raise refused(f"its payload is not {width} columns")
    return list(zip(*parts, strict=True))


def _part_column(given: str, kind: str, frames: list[Frame], parts: Sequence[tuple[str, bytes]]) -> pl.Series:
    codes = {code for code, _ in parts}
    if len(codes) == 1 and PART_LAYOUTS.get(codes.pop()) == given:
        return _numbers(_joined(given, 1, frames, [part for _, part in parts]), given, kind)
    cells: list[Any] = []
    for frame, (code, part) in zip(frames, parts, strict=True):
        values = part_values(code, part)
        if len(values) != frame.rows:
            raise refused(f"a column has {len(values)} cells instead of {frame.rows}")
        cells += values
    return _series(given, kind, cells)


def _cells(width: int, frames: list[Frame]) -> list[Sequence[Any]]:
    """Any layout by way of Python values: the cells of each column, over all frames."""
    if frames[0].descriptor.layout != "cells" or any(frame.rows != 1 for frame in frames):
        decoded = map(decode_columns, frames)
        return [list(chain.from_iterable(column)) for column in zip(*decoded, strict=True)]
    rows = [json_list(frame.payload) for frame in frames]
    if any(len(row) != width for row in rows):
        raise refused(f"its payload is not {width} cells")
    return list(zip(*rows, strict=True))


def _series(given: str, kind: str, cells: Sequence[Any]) -> pl.Series:
    values = fitted(given, kind, cells)
    if kind == BOOL:
        return _text([_WORDS.get(value) for value in values])
    return pl.Series(values=values, dtype=_POLARS.get(kind, pl.String()))
