"""Which file of a day takes the rows of a frame schema: pure.

Promises: the same question with the same files has the same answer everywhere; every cell keeps its value
and its stored type; the number of files of a day stays small (a new file of F columns of untyped Python
numbers is followed by at most F more), and never exceeds 32.

A frame fits a file whose columns have the same names in any order, when each type

1. equals the file's;
2. is ``null`` (no value yet), whatever the file's;
3. is int64 in a frame of untyped Python numbers that float64 holds exactly, and the file's is float64.

The closest fit wins (the same columns in order, then reordered, then with nulls, then widened), then the
lowest number. What fits nowhere gets a new file at the lowest free number. Its schema is the frame's,
opened as far as that costs nothing: a column without a value takes the type that it has in another frame
schema that waits, or in another file of the day with the same names; an int64 of untyped numbers becomes
float64 where one of those has float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from modeltap.core.schema import FLOAT64, INT64, MAX_SCHEMAS_PER_DAY, NULL, Schema


class Shape(NamedTuple):
    """The schema of some frames.

    Attributes:
        schema: as it stands in the frames.
        loose: their int64 cells are untyped Python numbers within +-2**53.
    """

    schema: Schema
    loose: bool


class Fit(NamedTuple):
    """The file takes the rows."""

    number: int


class New(NamedTuple):
    """A file is made for the rows."""

    number: int
    schema: Schema


class TooMany(NamedTuple):
    """The day has as many files as it may have."""


EXACT, REORDERED, WITH_NULLS, WIDENED = range(4)


def choose(
    shape: Shape,
    files: Mapping[int, Schema | None],
    waiting: Iterable[Shape] = (),
    limit: int = MAX_SCHEMAS_PER_DAY,
) -> Fit | New | TooMany:
    """Choose the file of a frame schema.

    Args:
        shape: of the frames.
        files: number and schema of each file of the day; None for one that takes no rows of ours.
        waiting: other frame schemas of the same day that have no file yet.
        limit: files that a day may have.
    """
    fits = [
        (closeness, number)
        for number, schema in files.items()
        if schema is not None and (closeness := fit(shape, schema)) is not None
    ]
    if fits:
        return Fit(min(fits)[1])
    if sum(schema is not None for schema in files.values()) >= limit:
        return TooMany()
    number = next(number for number in range(len(files) + 1) if number not in files)
    return New(number, _new_schema(shape, files.values(), waiting))


def fit(shape: Shape, file: Schema) -> int | None:
    """How closely frames fit a file: 0 is best, None is not at all."""
    if shape.schema.columns == file.columns:
        return EXACT
    if len(shape.schema.columns) != len(file.columns):
        return None
    types = dict(file.columns)
    closeness = REORDERED
    for name, kind in shape.schema.columns:
        wanted = types.get(name)
        if wanted is None:
            return None
        if kind == wanted:
            continue
        if kind == NULL:
            closeness = max(closeness, WITH_NULLS)
        elif kind == INT64 and wanted == FLOAT64 and shape.loose:
            closeness = WIDENED
        else:
            return None
    return closeness


def _new_schema(shape: Shape, files: Iterable[Schema | None], waiting: Iterable[Shape]) -> Schema:
    """The frame's schema, opened for what else is known; see the module's text."""
    columns = dict(shape.schema.columns)
    # What waits is opened for its own sake too; a file that stands keeps its types, whatever they are.
    others = [*waiting, *(Shape(schema, loose=True) for schema in files if schema is not None)]
    for other in others:
        columns = _opened(columns, shape.loose, other) or columns
    return Schema(tuple(columns.items())).settled()


def _opened(columns: dict[str, str], loose: bool, other: Shape) -> dict[str, str] | None:
    """Types that take both; None when no types do."""
    theirs = dict(other.schema.columns)
    if theirs.keys() != columns.keys():
        return None
    opened = {}
    for name, kind in columns.items():
        joined = _joined(kind, loose, theirs[name], other.loose)
        if joined is None:
            return None
        opened[name] = joined
    return opened


def _joined(kind: str, loose: bool, other: str, other_loose: bool) -> str | None:
    if other in {kind, NULL}:
        return kind
    if kind == NULL:
        return other
    if (kind, other) == (FLOAT64, INT64) and other_loose:
        return FLOAT64
    if (kind, other) == (INT64, FLOAT64) and loose:
        return FLOAT64
    return None
