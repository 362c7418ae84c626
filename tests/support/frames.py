"""Frames for tests, made as a scoring process makes them: encoded into a segment and read back from it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from modeltap.core.key import CollectionKey
from modeltap.core.names import column_names
from modeltap.core.schema import BINARY, BOOL, DECIMAL, FLOAT64, INT64, JSON, NULL, STRING, TIMESTAMP, TYPES, Schema
from modeltap.spool.frame import (
    BLOCK_CODES,
    LENGTH,
    NO_ROW,
    PREFIX,
    Descriptor,
    Frame,
    RowIds,
    decode_frame,
    encode_frame,
)
from modeltap.spool.segment import decode_header, scan

KEY = CollectionKey("sub", "rg", "ws", "svc", "best_model", "3", "inputs")
MAGIC = b"\x01\x02\x03\x04\xfa\xfb\xfc\xfd"
INSTANT_US = 1_795_383_592_656_442
"""2026-11-22T21:39:52.656442"""

HOSTILE_TEXTS = (
    *(
        "",
        " ",
        " a",
        "a ",
        "\t",
        "\ta",
        "a\t",
        "a,b",
        ",",
        'a"b',
        '"',
        '""',
        '"a"',
        '","',
        ' "a"',
        "a\nb",
        "\n",
        "a\rb",
    ),
    *("\r", "a\r", "\ra", "\r\n", "a\r\nb", 'x"\r\n1,"2', "\0", "a\0b", "\0a", "a\0", "\x01", "\x1a", "\x1c", "\x7f"),
    *("\u0085", "\u2028", "\u2029", "\ufeff", "\ufeffa", "\ufffe", "\uffff", "\U0010ffff", "\U0001f600", "e\u0301"),
    *("NaN", "nan", "NA", "N/A", "null", "NULL", "None", "inf", "True", "true", "007", "1.0", "1e5", "-", "2026-01-01"),
    *("#", "# a", "//", "--", "'", "''", "'a'", "\\", "\\N", "\\n", "a\\", '\\"', "a\\,b", "a;b", "a|b", "=1+1", "\\."),
)

_PARTS = {**{kind: code for code, kind in (("d", FLOAT64), ("q", INT64), ("?", BOOL))}}


def block(layout: str, values: Iterable[Any]) -> bytes:
    """Values of a binary layout, as bytes."""
    return array(BLOCK_CODES[layout], values).tobytes()


def payload(layout: str, columns: Sequence[Sequence[Any]], types: Sequence[str]) -> bytes:
    """The payload of a frame with these cells, column by column."""
    if layout in BLOCK_CODES:
        return block(layout, (cell for row in zip(*columns, strict=True) for cell in row))
    if layout == "cells":
        return json.dumps([cell for column in columns for cell in column], ensure_ascii=False).encode()
    return b"".join(_part(cells, kind) for cells, kind in zip(columns, types, strict=True))


def _part(cells: Sequence[Any], kind: str) -> bytes:
    if kind in _PARTS and None not in cells:
        code, data = _PARTS[kind], block(kind, cells)
    else:
        code, data = "j", json.dumps(cells, ensure_ascii=False).encode()
    return code.encode() + LENGTH.pack(len(data)) + data


def frame(
    types: Sequence[tuple[str, str]],
    columns: Sequence[Sequence[Any]],
    *,
    layout: str = "cells",
    rows: int | None = None,
    data: bytes | None = None,
    **fields: Any,
) -> Frame:
    """One frame as it is read back from a segment; ``data`` stands for a payload that says something else."""
    return read_body(frame_bytes(types, columns, layout=layout, rows=rows, data=data, **fields)[PREFIX.size :])


def frame_bytes(
    types: Sequence[tuple[str, str]],
    columns: Sequence[Sequence[Any]],
    *,
    layout: str = "cells",
    rows: int | None = None,
    data: bytes | None = None,
    **fields: Any,
) -> bytes:
    """One frame as it stands in a segment."""
    schema = Schema(tuple(types))
    given = {"sequence": 0, "timestamp_us": INSTANT_US, "day": 20_779, "first_row": 0, "request_id": "r-1", **fields}
    return encode_frame(
        MAGIC,
        Descriptor(KEY, schema, layout),
        rows=len(columns[0]) if rows is None else rows,
        payload=payload(layout, columns, schema.types) if data is None else data,
        **given,
    )


def read_body(body: bytes) -> Frame:
    """The frame of a body."""
    return decode_frame(memoryview(body))


def read_segment(data: bytes) -> list[Frame]:
    """All frames of a whole segment."""
    header = decode_header(data)
    if header is None:
        raise ValueError("the segment has no header")
    found = scan(data[header.length :], header.magic).found
    return [decode_frame(each.body) for each in found]


# ---- anything that a frame may hold

TEXTS = st.one_of(
    st.sampled_from(HOSTILE_TEXTS),
    st.text(alphabet=st.sampled_from(list(',"\r\n\t\0 \\#ab0é\u2028\ufeff')), max_size=12),
    st.text(max_size=20),
)
INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
EXACT_INTEGERS = st.integers(-(1 << 53), 1 << 53)
FLOATS = st.one_of(
    st.floats(),
    st.integers(0, (1 << 64) - 1).map(lambda bits: array("d", bits.to_bytes(8, "little"))[0]),
    st.builds(lambda digits, exponent: float(f"{digits}e{exponent}"), INTEGERS, st.integers(-340, 300)),
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    BOOL: st.booleans(),
    INT64: INTEGERS,
    FLOAT64: FLOATS,
    STRING: TEXTS,
    DECIMAL: st.decimals(allow_nan=False).map(str),
    TIMESTAMP: st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds")),
    BINARY: st.sampled_from(["", "AA==", "/+8=", "bW9kZWx0YXA="]),
    JSON: st.sampled_from(["{}", '{"a":[1,"x,y"]}', '"\\n"', "[null,true]"]),
}
SCHEMAS = st.lists(st.tuples(TEXTS, st.sampled_from(TYPES)), min_size=1, max_size=6).map(
    lambda columns: Schema(
        tuple(zip(column_names(name for name, _ in columns), (kind for _, kind in columns), strict=True))
    )
)


@st.composite
def frames_of(draw: st.DrawFn, schema: Schema, *, max_rows: int = 4) -> Frame:
    """A frame that fits a file of this schema: other order, null columns, narrower numbers, any layout."""
    given = [(name, _given(draw, kind)) for name, kind in draw(st.permutations(schema.columns))]
    kinds = {kind for _, kind in given}
    layouts = ["cells", "columns", *(kinds if len(kinds) == 1 and kinds <= set(BLOCK_CODES) else ())]
    layout = draw(st.sampled_from(layouts))
    rows = draw(st.integers(1, max_rows))
    file_kinds = dict(schema.columns)
    columns = [_column(draw, kind, file_kinds[name], rows, nullable=layout not in BLOCK_CODES) for name, kind in given]
    return frame(given, columns, layout=layout, **_fields(draw, rows))


def _given(draw: st.DrawFn, kind: str) -> str:
    return draw(st.sampled_from([kind, kind, kind, NULL] + ([INT64] if kind == FLOAT64 else [])))


def _column(draw: st.DrawFn, given: str, kind: str, rows: int, *, nullable: bool) -> list[Any]:
    if given == NULL:
        return [None] * rows
    cells = EXACT_INTEGERS if (given, kind) == (INT64, FLOAT64) else CELLS[given]
    if nullable:
        cells = st.one_of(cells, cells, st.none())
    return draw(st.lists(cells, min_size=rows, max_size=rows))


def _fields(draw: st.DrawFn, rows: int) -> dict[str, Any]:
    def each(cells: st.SearchStrategy[Any]) -> Any:
        return draw(st.none() | st.lists(cells, min_size=rows, max_size=rows))

    ids = RowIds(each(TEXTS), each(st.none() | TEXTS), each(st.none() | st.integers(0, NO_ROW - 1)))
    return {
        "timestamp_us": draw(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)),
        "first_row": draw(st.sampled_from([0, 1, 4_000_000_000, NO_ROW])),
        "sample_percent": draw(st.sampled_from([100.0, 12.5, 0.1, 1e-7, 33.333333333333336])),
        "request_id": draw(TEXTS),
        "correlation_id": draw(TEXTS),
        "host_request_id": draw(TEXTS),
        "row_ids": draw(st.sampled_from([None, ids])),
    }
