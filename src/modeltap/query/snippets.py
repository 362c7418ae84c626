"""Snippets: read options as code that a person can paste. Pure text.

Promise: names and paths of any text stand in the code as literals of its language; none can end one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Options = Mapping[str, Any]


def csv_code(options: Options, path: str) -> str:
    """Python for the csv module."""
    opened = _arguments([repr(path)], options["open"])
    reader = _arguments(["file"], options["reader"])
    return (
        "import csv\n\n"
        f"csv.field_size_limit({options['field_size_limit']})\n"
        f"with open({opened}) as file:\n"
        f"    rows = list(csv.DictReader({reader}))\n"
    )


def pandas_code(options: Options, path: str) -> str:
    """Python for pandas."""
    return f"import pandas\n\nframe = pandas.read_csv(\n{_lines(path, options)})\n"


def polars_code(options: Options, path: str) -> str:
    """Python for polars."""
    schema = {name: _Name(f"polars.{kind}") for name, kind in options.get("schema", {}).items()}
    given = {**options, "schema": schema} if schema else options
    return f"import polars\n\nframe = polars.read_csv(\n{_lines(path, given)})\n"


def spark_code(options: Options, path: str) -> str:
    """Python for a Spark session named ``spark``."""
    return f"frame = spark.read.csv(\n{_lines(path, options)})\n"


def duckdb_code(options: Options, path: str) -> str:
    """SQL for DuckDB."""
    arguments = "".join(f",\n    {name} = {sql_literal(value)}" for name, value in options.items())
    return f"FROM read_csv(\n    {sql_literal(path)}{arguments}\n);\n"


def powerbi_code(options: Options, path: str) -> str:
    """A query for Power BI's (and Excel's) advanced editor."""
    document = ", ".join(f"{name} = {_power_value(options[name])}" for name in ("Delimiter", "Encoding", "QuoteStyle"))
    steps = [
        f"Source = Csv.Document(File.Contents({_power_text(path)}), [{document}])",
        "Rows = Table.PromoteHeaders(Source, [PromoteAllScalars = true])",
    ]
    types = options["types"]
    if types:
        others = ", ".join(_power_text(name) for name, kind in types.items() if kind != "type text")
        pairs = ", ".join(f"{{{_power_text(name)}, {kind}}}" for name, kind in types.items())
        steps += [
            f'Nulls = Table.ReplaceValue(Rows, "", null, Replacer.ReplaceValue, {{{others}}})',
            f"Typed = Table.TransformColumnTypes(Nulls, {{{pairs}}}, {_power_text(options['culture'])})",
        ]
    body = ",\n    ".join(steps)
    return f"let\n    {body}\nin\n    {'Typed' if types else 'Rows'}\n"


def excel_steps(options: Options, path: str) -> str:
    """Steps for a person at Excel's ribbon."""
    choices = "".join(f"   {name}: {value}\n" for name, value in options.items())
    return (
        f"1. Data > Get Data > From File > From Text/CSV, choose {path}\n"
        f"2. In the preview choose\n{choices}"
        "3. Transform Data; give a type to the columns that you calculate with (Using Locale: English (United States))\n"
        "4. Close & Load\n"
    )


def sql_literal(value: Any) -> str:
    """A text, a number, true or false, or a struct of those, as SQL."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{sql_literal(name)}: {sql_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


class _Name(str):
    """Stands in Python code as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _arguments(first: list[str], options: Options) -> str:
    return ", ".join([*first, *(f"{name}={value!r}" for name, value in options.items())])


def _lines(path: str, options: Options) -> str:
    """The arguments of a call, one a line; of a mapping one entry a line."""
    lines = [f"    {path!r},\n"]
    for name, value in options.items():
        if isinstance(value, Mapping):
            entries = "".join(f"        {key!r}: {item!r},\n" for key, item in value.items())
            lines.append(f"    {name}={{\n{entries}    }},\n")
        else:
            lines.append(f"    {name}={value!r},\n")
    return "".join(lines)


def _power_value(value: Any) -> str:
    if isinstance(value, str) and not value.startswith("QuoteStyle."):
        return _power_text(value)
    return str(value)


def _power_text(text: str) -> str:
    """A text literal of Power Query: quotes doubled, control characters as ``#(XXXX)``."""
    shown = text.replace("#(", "#(#)(").replace('"', '""')
    return '"' + "".join(char if char.isprintable() else _power_escape(char) for char in shown) + '"'


def _power_escape(char: str) -> str:
    return f"#({ord(char):04X})" if ord(char) <= 0xFFFF else f"#({ord(char):08X})"
