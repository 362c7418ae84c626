"""What was collected reads back equal through each tool, with the options that modeltap prints for it."""

from __future__ import annotations

import csv
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.dialect import LEADING
from modeltap.core.schema import BOOL, FLOAT64, INT64, STRING, Schema
from modeltap.errors import SettingsError
from modeltap.query.read_options import FEW_COLUMNS, MAX_LINE_BYTES, TOOLS, read_options, snippet
from modeltap.shipping.bulk import encode_rows
from modeltap.shipping.fit import fitted, positions, row_ids
from modeltap.shipping.header import header_line
from modeltap.spool.frame import Frame, decode_columns
from support.frames import HOSTILE_TEXTS, SCHEMAS, frame, frames_of

Table = dict[str, list[Any]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
LEADING_TYPES = ("instant", STRING, STRING, STRING, INT64, FLOAT64)

LITTLE_OF_EVERYTHING = Schema(
    (
        ("flag", "bool"),
        ("count", "int64"),
        ("ratio", "float64"),
        ("price", "decimal"),
        ("note, long", "string"),
        ("seen", "timestamp"),
        ("image", "binary"),
        ('tags "x"', "json"),
    )
)


# ---- what was collected


def collected(schema: Schema, frames: Sequence[Frame]) -> Table:
    """The values of a file's columns, from the frames themselves."""
    table: Table = {name: [] for name in (*LEADING, *schema.names)}
    for each in frames:
        ids = row_ids(each)
        instant = EPOCH + timedelta(microseconds=each.timestamp_us)
        columns = [
            [instant] * each.rows,
            ids.correlation_id,
            ids.request_id,
            [each.host_request_id or None] * each.rows,
            ids.row,
            [each.sample_percent] * each.rows,
            *features(schema, each),
        ]
        for name, column in zip(table, columns, strict=True):
            table[name] += column
    return table


def features(schema: Schema, each: Frame) -> list[Sequence[Any]]:
    given_types, columns = each.descriptor.schema.types, decode_columns(each)
    places = positions(schema, each.descriptor.schema)
    return [fitted(given_types[p], kind, columns[p]) for p, kind in zip(places, schema.types, strict=True)]


def types_of(schema: Schema) -> Mapping[str, str]:
    return dict(zip((*LEADING, *schema.names), (*LEADING_TYPES, *schema.types), strict=True))


# ---- what each tool reads


def run(code: str, **names: Any) -> dict[str, Any]:
    exec(code, names)
    return names


def by_csv(schema: Schema | None, path: Path) -> Table:
    limit = csv.field_size_limit()
    try:
        rows = run(snippet("csv", schema, str(path)))["rows"]
    finally:
        csv.field_size_limit(limit)
    return {name: [row[name] for row in rows] for name in rows[0]}


def by_pandas(schema: Schema | None, path: Path) -> Table:
    table = run(snippet("pandas", schema, str(path)))["frame"]
    return {name: [plain(value) for value in table[name].tolist()] for name in table.columns}


def plain(value: Any) -> Any:
    """pandas' own missing values and timestamps as Python's."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


def by_polars(schema: Schema | None, path: Path) -> Table:
    table = run(snippet("polars", schema, str(path)))["frame"]
    return {column.name: column.to_list() for column in table.get_columns()}


def by_duckdb(schema: Schema | None, path: Path) -> Table:
    with duckdb.connect() as connection:
        answer = connection.sql(snippet("duckdb", schema, str(path)))
        columns = zip(*answer.fetchall(), strict=True)
        return dict(zip(answer.columns, map(list, columns), strict=True))


# ---- how a tool's values stand for what was collected


def exactly(value: Any, kind: str) -> Any:
    """A float as its bits, so that -0.0 and the last digit count; every NaN is one."""
    if kind != FLOAT64 or value is None:
        return value
    return "NaN" if math.isnan(value) else struct.pack("<d", value)


def without_nan_beside_null(value: Any, kind: str) -> Any:
    """As pandas has it: null and NaN are one in a float column, null and the empty text in a text column."""
    if kind == FLOAT64:
        return exactly(math.nan if value is None else value, kind)
    return value or None if isinstance(value, str) else value


def from_csv_text(text: str, kind: str) -> Any:
    if kind == FLOAT64:
        return exactly(float(text), kind) if text else None
    if kind == INT64:
        return int(text) if text else None
    if kind == BOOL:
        return {"True": True, "False": False, "": None}[text]
    if kind == "instant":
        return datetime.fromisoformat(text)
    return text


def as_csv_has_it(value: Any, kind: str) -> Any:
    if kind in (FLOAT64, INT64, BOOL, "instant"):
        return exactly(value, kind)
    return value or ""


Reader = tuple[Callable[[Schema | None, Path], Table], Callable[[Any, str], Any], Callable[[Any, str], Any]]
READERS: dict[str, Reader] = {
    "csv": (by_csv, as_csv_has_it, from_csv_text),
    "pandas": (by_pandas, without_nan_beside_null, without_nan_beside_null),
    "polars": (by_polars, exactly, exactly),
    "duckdb": (by_duckdb, exactly, exactly),
}
EACH_TOOL = pytest.mark.parametrize("tool", READERS)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    folder, numbers = tmp_path_factory.mktemp("it's a folder"), count()
    return lambda: folder / f"data-{next(numbers)}.csv"


def check(tool: str, schema: Schema, frames: Sequence[Frame], path: Path) -> None:
    """Write the frames, read them back, compare every value."""
    path.write_bytes(header_line(schema) + encode_rows(schema, frames))
    read, expected, found = READERS[tool]
    table, source, types = read(schema, path), collected(schema, frames), types_of(schema)
    path.unlink()
    assert list(table) == list(source)
    for name, kind in types.items():
        assert [found(value, kind) for value in table[name]] == [expected(value, kind) for value in source[name]]


# ---- the promise


@pytest.mark.timeout(1800)
@EACH_TOOL
@given(data=st.data())
def test_every_value_reads_back(tool: str, paths: Callable[[], Path], data: st.DataObject):
    schema = data.draw(SCHEMAS)
    kinds = data.draw(st.lists(frames_of(schema), min_size=1, max_size=4))
    check(tool, schema, data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=10)), paths())


@EACH_TOOL
def test_every_hostile_text_reads_back_from_every_place_of_a_row(tool: str, paths: Callable[[], Path]):
    schema = Schema((("first", STRING), ("middle", STRING), ("last", STRING)))
    texts = [*HOSTILE_TEXTS, None, "x" * 200_000, '"' * 50_000, "1,2,3\r\n" * 500]
    rows = [[text, "a", "b"] for text in texts] + [["a", text, "b"] for text in texts] + [["a", "b", t] for t in texts]
    frames = [
        frame(schema.columns, [[cell] for cell in row], correlation_id=(row[0] or "")[:2000], host_request_id="h")
        for row in rows
    ]
    check(tool, schema, frames, paths())


@EACH_TOOL
def test_every_hostile_text_can_be_a_column_name(tool: str, paths: Callable[[], Path]):
    names = [text for text in dict.fromkeys(text.casefold() for text in HOSTILE_TEXTS) if text]
    schema = Schema(tuple((name, STRING) for name in names))
    check(tool, schema, [frame(schema.columns, [[str(place)] for place in range(len(names))])], paths())


@EACH_TOOL
def test_line_ends_inside_cells_survive_tools_that_read_in_parallel(tool: str, paths: Callable[[], Path]):
    schema = Schema((("a", STRING), ("b", STRING), ("c", "float64")))
    cells = ['x\r\n1,"2",3\r\n', '"\r\n"', "\r\n", "\n", "plain", None, '",\r\n,"' * 40, "1,2\r\n" * 200, "\r"]
    blocks = [
        frame(
            schema.columns,
            [
                [cells[(k * 7 + shift) % len(cells)] for k in range(300)],
                [cells[(k * k + shift) % len(cells)] for k in range(300)],
                [k / 3 for k in range(300)],
            ],
            layout="columns",
        )
        for shift in range(9)
    ]
    check(tool, schema, blocks * 6, paths())


@EACH_TOOL
def test_a_file_with_a_header_alone_has_the_columns_and_no_row(tool: str, paths: Callable[[], Path]):
    path = paths()
    path.write_bytes(header_line(LITTLE_OF_EVERYTHING))
    if tool == "csv":
        assert run(snippet(tool, LITTLE_OF_EVERYTHING, str(path)))["rows"] == []
    elif tool == "duckdb":
        assert duckdb.sql(snippet(tool, LITTLE_OF_EVERYTHING, str(path))).fetchall() == []
    else:
        table = run(snippet(tool, LITTLE_OF_EVERYTHING, str(path)))["frame"]
        assert (len(table), list(table.columns)) == (0, [*LEADING, *LITTLE_OF_EVERYTHING.names])


@EACH_TOOL
def test_without_a_schema_every_column_is_the_text_of_the_file(tool: str, paths: Callable[[], Path]):
    schema = Schema((("a", "int64"), ("b", "float64"), ("c", STRING), ("d", "bool")))
    path = paths()
    frames = [frame(schema.columns, [[7, None], [3.0, math.nan], ["007", "NA"], [True, None]])]
    path.write_bytes(header_line(schema) + encode_rows(schema, frames))
    table = READERS[tool][0](None, path)
    missing = "" if tool == "csv" else None
    assert table["$Timestamp"] == ["2026-11-22T21:39:52.656442"] * 2
    assert table["$Row"] == ["0", "1"]
    features = [table[name] for name in schema.names]
    assert features == [["7", missing], ["3.0", "NaN"], ["007", "NA"], ["True", missing]]


@EACH_TOOL
def test_a_header_of_three_megabytes_reads_back(tool: str, paths: Callable[[], Path]):
    schema = Schema(tuple((f"column {k} " + "x" * 10_000, "float64") for k in range(300)))
    row = [[-1.2345678901234567e-100 / (k + 1)] for k in range(300)]
    check(tool, schema, [frame(schema.columns, row, layout="float64")], paths())


def test_duckdb_is_given_room_for_the_rows_of_wide_files_only():
    few, many = (Schema(tuple((f"c{k}", "float64") for k in range(width))) for width in (FEW_COLUMNS - 6, FEW_COLUMNS))
    assert "max_line_size" not in read_options("duckdb", few)
    assert read_options("duckdb", many)["max_line_size"] == MAX_LINE_BYTES


# ---- the other tools


def test_power_query_names_every_column_with_its_type():
    code = snippet("powerbi", LITTLE_OF_EVERYTHING, 'C:\\data "1"\\data.csv')
    assert 'File.Contents("C:\\data ""1""\\data.csv")' in code
    assert '{"$Timestamp", type datetime}' in code
    assert '{"ratio", type number}' in code
    assert '{"tags ""x""", type text}' in code
    assert 'Replacer.ReplaceValue, {"$Timestamp", "$Row", "$SamplePercent", "flag", "count", "ratio"}' in code


def test_a_power_query_literal_cannot_be_ended_by_a_name():
    code = snippet("powerbi", Schema((('a"#(cr)\r\nb\0', STRING),)))
    assert '"a""#(#)(cr)#(000D)#(000A)b#(0000)"' in code


def test_excel_is_told_not_to_guess_types():
    assert read_options("excel")["Data Type Detection"] == "Do not detect data types"
    assert "65001: Unicode (UTF-8)" in snippet("excel")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("schema", [None, LITTLE_OF_EVERYTHING], ids=["text", "typed"])
def test_a_snippet_of_every_tool_names_the_file(tool: str, schema: Schema | None):
    assert "modeldata/data-7.csv" in snippet(tool, schema, "modeldata/data-7.csv")


def test_an_unknown_tool_is_told_the_known_ones():
    with pytest.raises(SettingsError, match="csv, pandas, polars, duckdb, spark, powerbi, excel"):
        read_options("lotus")


def test_a_hostile_path_stays_a_literal(tmp_path: Path):
    path = tmp_path / "a'); DROP TABLE x; --\n\".csv"
    path.write_bytes(header_line(LITTLE_OF_EVERYTHING))
    assert duckdb.sql(snippet("duckdb", LITTLE_OF_EVERYTHING, str(path))).fetchall() == []
    assert len(run(snippet("polars", LITTLE_OF_EVERYTHING, str(path)))["frame"]) == 0
