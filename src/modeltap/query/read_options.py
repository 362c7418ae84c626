"""Read options: how each tool reads a data file without losing a value. A pure table.

Promise: with these options every cell reads back equal in value: text stays text (``007``, ``NA``, blanks, line
ends), numbers keep every bit. What a tool cannot do is said in its notes. Measured with pandas 3.1,
polars 2.1, DuckDB 2.0 and Spark 4.3 on cells of every kind.

With a schema the columns get their types; timestamps among the features stay text, because they may hold
nanoseconds, and so do decimals. Without a schema every column is text.

Known traps that the options close: pandas reads ``NA`` and ``null`` as missing and refuses ``NaN`` beside a
null; polars keeps doubled quotes in column names; DuckDB reads ``""`` as null; the csv module refuses cells
of more than 128 KiB; Spark escapes quotes by a backslash, reads ``""`` as null, shifts naive timestamps, and
without ``lineSep`` leaves a CR at the end of each row when a cell may hold line ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from modeltap.core.dialect import CORRELATION_ID, HOST_REQUEST_ID, REQUEST_ID, ROW, SAMPLE_PERCENT, TIMESTAMP
from modeltap.core.schema import BOOL, FLOAT64, INT64, STRING, Schema
from modeltap.errors import SettingsError
from modeltap.query.snippets import (
    csv_code,
    duckdb_code,
    excel_steps,
    pandas_code,
    polars_code,
    powerbi_code,
    spark_code,
)

TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"
MAX_CELL_CHARACTERS = 1 << 24
"""Far above the largest cell: a frame has at most 1 MiB."""
MAX_COLUMNS = 1 << 20
"""Above the most that the descriptor of a frame can name."""
MAX_LINE_BYTES = 1 << 24
"""Above the longest row (3.5 MB: a frame of 1 MiB holds 131,000 floats) and the longest header (8 MiB)."""
FEW_COLUMNS = 1 << 14
"""Up to here a row stays below the 2,000,000 bytes that DuckDB takes by default."""
SPARK_NULL = "\ue000modeltap null\ue000"
"""Spark takes an empty cell for this text before it compares with null: a text that nobody collects."""

_INSTANT = "instant"
"""The type of ``$Timestamp``: always microseconds."""
_LEADING = {
    TIMESTAMP: _INSTANT,
    CORRELATION_ID: STRING,
    REQUEST_ID: STRING,
    HOST_REQUEST_ID: STRING,
    ROW: INT64,
    SAMPLE_PERCENT: FLOAT64,
}

Columns = Mapping[str, str] | None
"""Names and types in file order; None: unknown, all text."""
Options = dict[str, Any]


class Tool(NamedTuple):
    """How one tool reads a data file.

    Attributes:
        options: columns -> the options by their names in the tool.
        render: options and path -> code to paste.
        comment: what begins a comment in that code.
        notes: what the tool cannot do.
    """

    options: Callable[[Columns], Options]
    render: Callable[[Options, str], str]
    comment: str
    notes: tuple[str, ...] = ()


def read_options(tool: str, schema: Schema | None = None) -> Options:
    """The options with which a tool reads a data file without loss.

    Args:
        tool: one of ``TOOLS``.
        schema: the file's schema; None reads every column as text.

    Returns:
        Names and values of the tool's own options. polars: the types are names of ``polars`` attributes;
        csv: options of ``open``, of ``csv.reader`` and the ``field_size_limit``; DuckDB: named arguments of
        SQL's ``read_csv``; Spark: keyword arguments of ``spark.read.csv``.

    Raises:
        SettingsError: an unknown tool.
    """
    return _tool(tool).options(_columns(schema))


def snippet(tool: str, schema: Schema | None = None, path: str = "data.csv") -> str:
    """Code or steps that read a data file with these options, the tool's limits first as comments.

    Args:
        tool: one of ``TOOLS``.
        schema: the file's schema; None reads every column as text.
        path: the file, as the tool names it.

    Raises:
        SettingsError: an unknown tool.
    """
    chosen = _tool(tool)
    notes = [f"{chosen.comment} {note}\n" for note in chosen.notes]
    return "".join(notes) + chosen.render(chosen.options(_columns(schema)), path)


def _tool(name: str) -> Tool:
    if name not in _TOOLS:
        raise SettingsError(
            f"read options: {name!r} is not a tool that modeltap knows; choose one of {', '.join(TOOLS)}"
        )
    return _TOOLS[name]


def _columns(schema: Schema | None) -> Columns:
    return None if schema is None else {**_LEADING, **dict(schema.columns)}


def _typed(columns: Mapping[str, str], types: Mapping[str, str], text: str) -> dict[str, str]:
    return {name: types.get(kind, text) for name, kind in columns.items()}


# ---- what each tool is told


def _csv(_: Columns) -> Options:
    return {
        "open": {"newline": "", "encoding": "utf-8"},
        "reader": {"delimiter": ",", "quotechar": '"', "doublequote": True, "strict": True},
        "field_size_limit": MAX_CELL_CHARACTERS,
    }


def _pandas(columns: Columns) -> Options:
    if columns is None:
        return {"dtype": "string", "keep_default_na": False, "na_values": [""], "encoding": "utf-8"}
    types = _typed(columns, {BOOL: "boolean", INT64: "Int64", FLOAT64: "float64"}, "string")
    return {
        "dtype": {name: kind for name, kind in types.items() if name != TIMESTAMP},
        "parse_dates": [TIMESTAMP],
        "date_format": TIMESTAMP_FORMAT,
        "keep_default_na": False,
        "na_values": {name: ["", "NaN"] if kind == FLOAT64 else [""] for name, kind in columns.items()},
        "encoding": "utf-8",
    }


def _polars(columns: Columns) -> Options:
    if columns is None:
        return {"infer_schema": False}
    types = {BOOL: "Boolean", INT64: "Int64", FLOAT64: "Float64", _INSTANT: "Datetime"}
    return {
        "has_header": False,
        "skip_rows": 1,
        "schema": _typed(columns, types, "String"),
        "raise_if_empty": False,
    }


def _duckdb(columns: Columns) -> Options:
    dialect: Options = {
        "header": True,
        "delim": ",",
        "quote": '"',
        "escape": '"',
        "new_line": "\\r\\n",
        "nullstr": "",
        "allow_quoted_nulls": False,
    }
    if columns is None:
        return {**dialect, "all_varchar": True}
    if len(columns) > FEW_COLUMNS or sum(map(len, columns)) > MAX_LINE_BYTES >> 6:
        dialect["max_line_size"] = MAX_LINE_BYTES
    types = {BOOL: "BOOLEAN", INT64: "BIGINT", FLOAT64: "DOUBLE", _INSTANT: "TIMESTAMP"}
    return {**dialect, "auto_detect": False, "columns": _typed(columns, types, "VARCHAR")}


def _spark(columns: Columns) -> Options:
    options: Options = {
        "header": True,
        "quote": '"',
        "escape": '"',
        "multiLine": True,
        "lineSep": "\r\n",
        "nullValue": SPARK_NULL,
        "emptyValue": "",
        "nanValue": "NaN",
        "positiveInf": "inf",
        "negativeInf": "-inf",
        "maxColumns": MAX_COLUMNS,
        "mode": "FAILFAST",
    }
    if columns is not None:
        types = {BOOL: "BOOLEAN", INT64: "BIGINT", FLOAT64: "DOUBLE", _INSTANT: "TIMESTAMP_NTZ"}
        typed = _typed(columns, types, "STRING")
        options["schema"] = ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in typed.items())
    return options


def _powerbi(columns: Columns) -> Options:
    types = {BOOL: "type logical", INT64: "Int64.Type", FLOAT64: "type number", _INSTANT: "type datetime"}
    return {
        "Delimiter": ",",
        "Encoding": 65001,
        "QuoteStyle": "QuoteStyle.Csv",
        "types": {} if columns is None else _typed(columns, types, "type text"),
        "culture": "en-US",
    }


def _excel(_: Columns) -> Options:
    return {
        "File Origin": "65001: Unicode (UTF-8)",
        "Delimiter": "Comma",
        "Data Type Detection": "Do not detect data types",
    }


_TOOLS: dict[str, Tool] = {
    "csv": Tool(_csv, csv_code, "#", ("null and the empty text both arrive as '', and every cell as text",)),
    "pandas": Tool(
        _pandas,
        pandas_code,
        "#",
        (
            "null and the empty text both arrive as missing, and so do null and NaN",
            "before pandas 3.1 add float_precision='round_trip', or floats lose their last bit",
        ),
    ),
    "polars": Tool(_polars, polars_code, "#", ("without a schema, a quote in a column name arrives doubled",)),
    "duckdb": Tool(_duckdb, duckdb_code, "--", ("without a schema, blanks around a column name are lost",)),
    "spark": Tool(_spark, spark_code, "#"),
    "powerbi": Tool(
        _powerbi,
        powerbi_code,
        "//",
        (
            'null and the empty text both arrive as "" in text columns',
            "inf and -inf arrive as errors in number columns: replace them, or keep the column as text",
            "integers beyond 2^53 may be rounded: keep such a column as text",
        ),
    ),
    "excel": Tool(
        _excel,
        excel_steps,
        "Note:",
        (
            "opening the file by a double click turns 007 into 7 and 1-2 into a date, and keeps 15 digits of a number",
            "a sheet holds 1,048,576 rows, 16,384 columns, and 32,767 characters in a cell",
        ),
    ),
}

TOOLS = tuple(_TOOLS)
"""What ``read_options`` knows."""
