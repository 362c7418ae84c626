"""What was collected reads back equal through Spark, with the options that modeltap prints for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modeltap.core.dialect import LEADING
from modeltap.core.schema import STRING, Schema
from modeltap.query.read_options import snippet
from modeltap.shipping.bulk import encode_rows
from modeltap.shipping.header import header_line
from support.frames import HOSTILE_TEXTS, INSTANT_US, frame
from support.pythons import python

SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.memory", "600m")
    .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.sql.session.timeZone", "America/New_York").getOrCreate()
)
answers = []
for code in json.loads(sys.argv[1]):
    exec(code)
    answers.append([frame.columns, [list(row) for row in frame.collect()]])
spark.stop()
print(json.dumps(answers, default=str))
"""

TYPED = Schema((("flag", "bool"), ("count", "int64"), ("ratio", "float64"), ("note", "string"), ("seen", "timestamp")))
TYPED_ROWS = [
    [True, (1 << 63) - 1, 5e-324, "007", "2026-03-08T02:30:00.000001"],
    [False, -(1 << 63), float("nan"), "NaN", "2026-03-08T02:30:00.000001002"],
    [None, None, None, None, None],
    [True, 0, float("-inf"), "", "0001-01-01T00:00:00.000000"],
    [False, 1, -0.0, " x\r\n", None],
    [None, 2, 1.7976931348623157e308, "null", "9999-12-31T23:59:59.999999"],
    [True, 3, 1e-5, "a", None],
]


def written(path: Path, schema: Schema, rows: list[list[object]]) -> str:
    """The code that reads a file of these rows."""
    frames = [frame(schema.columns, [[cell] for cell in row], correlation_id="c,\r\n") for row in rows]
    path.write_bytes(header_line(schema) + encode_rows(schema, frames))
    return snippet("spark", schema, str(path))


@pytest.mark.slow
def test_every_value_reads_back_through_spark(tmp_path: Path):
    names = [text for text in dict.fromkeys(text.casefold() for text in HOSTILE_TEXTS) if text]
    texts = Schema((("first", STRING), ("last", STRING)))
    cells = [*HOSTILE_TEXTS, None, "x" * 200_000, "1,2,3\r\n" * 500]
    tables = [
        (TYPED, TYPED_ROWS),
        (texts, [[text, "b"] for text in cells] + [["a", text] for text in cells]),
        (Schema(tuple((name, STRING) for name in names)), [[str(place) for place in range(len(names))]]),
    ]
    codes = [written(tmp_path / f"data-{k}.csv", *table) for k, table in enumerate(tables)]
    output = python(SPARK, json.dumps(codes))
    assert output.code == 0, output.err
    answers = json.loads(output.out)
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=INSTANT_US)
    leading = [instant.strftime("%Y-%m-%d %H:%M:%S.%f"), "c,\r\n", "r-1", None, 0, 100.0]
    for (schema, rows), (columns, read) in zip(tables, answers, strict=True):
        assert columns == [*LEADING, *schema.names]
        assert repr(read) == repr([[*leading, *row] for row in rows])  # as text: NaN equals itself, -0.0 is not 0.0
