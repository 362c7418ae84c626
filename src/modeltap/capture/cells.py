"""Cells: one Python value of a table, its type, and the form in which it travels in a frame.

Promises: a value that is accepted is carried without loss; a subclass of a plain type counts as that
type and its own methods are never asked; a value that cannot be carried is refused with a reason.

=======================  =========  ==========================================
value                    type       in the frame
=======================  =========  ==========================================
None, NaT, NA            null       null
bool                     bool       true, false
int, at most 64 bits     int64      number; larger ones: decimal
float                    float64    number
str                      string     text
datetime                 timestamp  UTC, ``2026-11-22T21:39:52.656442`` (9 digits when nanoseconds are given)
Decimal                  decimal    text
bytes                    binary     base64
date, time, UUID, Path   string     text
Enum                     that of its value
list, tuple, set, dict,  json       JSON text; NaN and infinities as text
record, small array
=======================  =========  ==========================================
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from modeltap.capture.fields import MAX_COLUMNS, cells_of, fields_of, is_record, is_series, plain_dict
from modeltap.core.schema import BINARY, BOOL, DECIMAL, FLOAT64, INT64, JSON, NULL, STRING, TIMESTAMP

MIN_INT64, MAX_INT64 = -(1 << 63), (1 << 63) - 1
MAX_EXACT_FLOAT = 1 << 53
"""Integers up to here are float64 values too."""
MAX_DEPTH = 32

PLAIN: dict[type, str] = {bool: BOOL, int: INT64, float: FLOAT64, str: STRING, type(None): NULL}
"""Types whose values travel as they are."""

Cell = tuple[str, Any]

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=True).encode


class Refused(Exception):
    """A value that cannot be collected. The text is the reason under which it is counted."""


def read_cell(value: Any) -> Cell:
    """Type and wire form of one value.

    Raises:
        Refused: nothing that a data file could hold.
    """
    kind = type(value)
    if kind in PLAIN:
        if kind is int and not MIN_INT64 <= value <= MAX_INT64:
            return DECIMAL, _digits(value)
        return PLAIN[kind], value
    for base, read in _READERS:
        if isinstance(value, base):
            return read(value)
    return _read_foreign(value)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python's own bound: thousands of digits take quadratic time
        raise Refused("number_too_long") from error


def read_column(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Type and wire cells of one column.

    One type for the column: integers beside floats become float64 where all are exact, NaN beside
    text is null, and any other mixture travels as JSON text cell by cell, so nothing is guessed.
    """
    kinds = set(map(type, values))
    if len(kinds) == 1 and (kind := kinds.pop()) in PLAIN and kind is not int:
        return PLAIN[kind], list(values)
    cells = [read_cell(value) for value in values]
    return _unify(cells)


def _unify(cells: list[Cell]) -> tuple[str, list[Any]]:
    kinds = {kind for kind, _ in cells} - {NULL}
    wire = [value for _, value in cells]
    if not kinds:
        return NULL, wire
    if len(kinds) == 1:
        return kinds.pop(), wire
    if kinds == {INT64, FLOAT64} and all(exact(value) for value in wire):
        return FLOAT64, [value if value is None else float(value) for value in wire]
    if kinds <= {INT64, DECIMAL}:
        return DECIMAL, [value if value is None else str(value) for value in wire]
    if FLOAT64 in kinds and all(kind != FLOAT64 or value != value for kind, value in cells):
        return _unify([(NULL, None) if kind == FLOAT64 else (kind, value) for kind, value in cells])
    return JSON, [value if value is None else _as_json_text(kind, value) for kind, value in cells]


def exact(value: Any) -> bool:
    """Whether a number is the same as a float64 (a null is)."""
    return type(value) is not int or -MAX_EXACT_FLOAT <= value <= MAX_EXACT_FLOAT


def _as_json_text(kind: str, value: Any) -> str:
    if kind == JSON:
        return str(value)
    return compact(_plain(value, 0))


def _read_float(value: float) -> Cell:
    return FLOAT64, float.__float__(value)


def _read_int(value: int) -> Cell:
    return read_cell(int.__int__(value))


def _read_str(value: str) -> Cell:
    return STRING, str.__str__(value)


def _read_bytes(value: bytes) -> Cell:
    return BINARY, b64encode(bytes(value)).decode("ascii")


def _read_decimal(value: Decimal) -> Cell:
    return DECIMAL, Decimal.__str__(value)


def _read_datetime(value: datetime) -> Cell:
    if value != value:
        return NULL, None  # pandas.NaT
    try:
        moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise Refused("instant_out_of_range") from error
    text = datetime.isoformat(moment, timespec="microseconds")[:26]
    nanoseconds = getattr(value, "nanosecond", 0)
    return TIMESTAMP, f"{text}{nanoseconds:03d}" if nanoseconds else text


def _read_enum(value: Enum) -> Cell:
    return read_cell(value.value)


def _read_text(value: object) -> Cell:
    return STRING, str(value)


def _read_nested(value: object) -> Cell:
    return JSON, compact(_plain(value, 0))


_READERS: tuple[tuple[Any, Callable[[Any], Cell]], ...] = (
    (Enum, _read_enum),
    (str, _read_str),
    (float, _read_float),
    (int, _read_int),
    (datetime, _read_datetime),
    (Decimal, _read_decimal),
    ((bytes, bytearray, memoryview), _read_bytes),
    ((date, time, timedelta, UUID, PurePath), _read_text),
    ((list, tuple, set, frozenset, Mapping), _read_nested),
)


def _read_foreign(value: Any) -> Cell:
    """Scalars, records and small arrays of numpy, pandas and their like, by the methods that they share."""
    name = type(value).__name__
    if name in _NOTHING:
        return NULL, None
    if name in _BY_NAME:
        return _BY_NAME[name](value)
    if is_record(value) or is_series(value):
        return _read_nested(value)
    for method in ("item", "tolist", "as_py"):
        if method == "item" and getattr(value, "ndim", None) != 0:
            continue
        unwrap = getattr(value, method, None)
        if callable(unwrap):
            plain = unwrap()
            if type(plain) is not type(value):
                return read_cell(plain)
    raise Refused("unsupported_cell")


def _read_datetime64(value: Any) -> Cell:
    text = str(value)
    if text == "NaT":
        return NULL, None
    head, _, fraction = text.partition(".")
    if head[4:5] not in ("", "-") or not head[:4].isdigit() or fraction[9:].strip("0"):
        raise Refused("instant_out_of_range")
    full = head if "T" in head else f"{head}-01-01"[:10] + "T00"
    full += ":00:00"[: max(0, 19 - len(full))]
    digits = fraction.ljust(6, "0")
    return TIMESTAMP, f"{full[:19]}.{digits[:6]}{digits[6:9] if digits[6:9].strip('0') else ''}"


def _read_timedelta64(value: Any) -> Cell:
    """Its unit must not get lost: numpy makes a bare number of nanoseconds, months and years."""
    plain = value.item()
    if plain is None:
        return NULL, None
    return STRING, str(plain if isinstance(plain, timedelta) else value)


def _read_longdouble(value: Any) -> Cell:
    number = float(value)
    return (FLOAT64, number) if number == value or value != value else (DECIMAL, str(value))


_NOTHING = frozenset({"NAType", "NaTType", "MaskedConstant"})
_BY_NAME: dict[str, Callable[[Any], Cell]] = {
    "datetime64": _read_datetime64,
    "timedelta64": _read_timedelta64,
    "longdouble": _read_longdouble,
}


def _plain(value: Any, depth: int) -> Any:
    """A nested value as JSON can hold it; NaN and infinities as text, as protobuf's JSON mapping has them."""
    if depth > MAX_DEPTH:
        raise Refused("nested_too_deep")
    kind = type(value)
    if kind not in PLAIN:
        if is_record(value):
            value = fields_of(value)
        elif is_series(value):
            value = cells_of(value)
    if isinstance(value, Mapping):
        return _plain_fields(plain_dict(value), depth)
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in cells_of(value)]
    if isinstance(value, set | frozenset):
        items = set.__iter__(value) if isinstance(value, set) else frozenset.__iter__(value)
        return sorted((_plain(item, depth + 1) for item in items), key=compact)
    kind_of_cell, wire = read_cell(value)
    if kind_of_cell == FLOAT64 and (wire != wire or wire in (float("inf"), float("-inf"))):
        return "NaN" if wire != wire else ("Infinity" if wire > 0 else "-Infinity")
    return json.loads(wire) if kind_of_cell == JSON else wire


def _plain_fields(fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    if len(fields) > MAX_COLUMNS:
        raise Refused("nested_too_wide")
    items = {_key(key): _plain(item, depth + 1) for key, item in fields.items()}
    if len(items) != len(fields):
        raise Refused("keys_with_the_same_text")
    return items


def _key(key: Any) -> str:
    return str.__str__(key) if isinstance(key, str) else str(key)
