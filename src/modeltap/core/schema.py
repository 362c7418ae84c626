"""A schema: the columns of a data file in order, each with one of nine types.

Types are stored, not guessed: ``007`` collected as text stays text. The id of a schema is the first
16 hex digits of the SHA-256 of its columns as compact JSON, so equal schemas have equal ids anywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

BOOL, INT64, FLOAT64, DECIMAL = "bool", "int64", "float64", "decimal"
STRING, TIMESTAMP, BINARY, JSON = "string", "timestamp", "binary", "json"
NULL = "null"
"""Only in frames: a column without a value yet. It fits a column of any type; a file never has it."""

TYPES = (BOOL, INT64, FLOAT64, DECIMAL, STRING, TIMESTAMP, BINARY, JSON)
MAX_SCHEMAS_PER_DAY = 32
"""Of one designation and day; further ones are counted as ``too_many_schemas``."""


@dataclass(frozen=True)
class Schema:
    """Column names and types, in file order.

    Attributes:
        columns: pairs of name and type.
    """

    columns: tuple[tuple[str, str], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(name for name, _ in self.columns)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The column types in order."""
        return tuple(kind for _, kind in self.columns)

    @cached_property
    def id(self) -> str:
        """16 hex digits, equal for equal columns."""
        return sha256(_compact(self.columns).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The text of a schema file."""
        columns = [{"name": name, "type": kind} for name, kind in self.columns]
        return json.dumps({"format": 1, "columns": columns}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read a schema file."""
        return cls(tuple((column["name"], column["type"]) for column in json.loads(text)["columns"]))

    def settled(self) -> Schema:
        """The schema of a new file for such rows: columns without a value yet become text."""
        return Schema(tuple((name, STRING if kind == NULL else kind) for name, kind in self.columns))


def _compact(columns: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
