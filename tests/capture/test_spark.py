"""Spark data frames: taken outside a request, with their types; never a job where a request waits or nothing is collected."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.pythons import python
from support.spooled import Spooled

pytestmark = pytest.mark.spark

SCRIPT = """
import json, os, time
os.environ["TZ"] = "America/New_York"
time.tzset()
import modeltap
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.memory", "600m")
    .config("spark.sql.codegen.wholeStage", "false").config("spark.sql.shuffle.partitions", "1")
    .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
types = spark.sql('''
select true b, 1L i, 2S s, 0.5D d, cast(1.5 as float) f, 'x' t, timestamp'2026-11-22 21:39:52.656442+00:00' z,
 timestamp_ntz'2026-11-22 21:39:52.656442' n, cast(1.5 as decimal(10, 2)) m, X'6162' y, array(1, 2) l,
 named_struct('p', 3, 'q', 'y') r, map('k', 4) k, date'2026-11-22' e, cast(null as double) w
union all select null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
''')
numbers = spark.range(5).selectExpr("id as a", "id / 2 as b")
told = {}

inputs = modeltap.ModelDataCollector("types", "inputs", ["other", "names"])
told["types"] = inputs.collect(types) is not None

model = [modeltap.ModelDataCollector("m", name) for name in ("inputs", "predictions")]
correlations = model[0].collect(numbers, "loan")
joined = model[1].add_correlations(numbers.selectExpr("a * 10 as y"), correlations)
told["columns"] = joined.columns
model[0].collect(numbers.limit(1))
told["joined"] = model[1].collect(joined) is not None
told["filtered"] = model[1].collect(joined.where("y > 20")) is not None
told["empty"] = model[1].collect(numbers.where("a > 100")) is not None
told["unchanged"] = model[1].add_correlations(numbers, None) is numbers

rows = modeltap.ModelDataCollector("rows", "inputs")
told["row"] = rows.collect(numbers.first()) is not None
told["rows"] = rows.collect(numbers.take(2)) is not None

jobs = spark.sparkContext.statusTracker().getJobIdsForGroup
spark.sparkContext.setJobGroup("waiting", "a request waits")
with modeltap.request():
    told["in a request"] = rows.collect(numbers)
told["jobs in a request"] = len(jobs("waiting"))
told["stats"] = modeltap.stats()
modeltap.close()

os.environ["MODELTAP_COLLECT_MODEL_DATA"] = "false"
spark.sparkContext.setJobGroup("off", "nothing is collected")
told["off"] = modeltap.ModelDataCollector("m", "inputs").collect(numbers) is not None
told["jobs when off"] = len(jobs("off"))
told["stats when off"] = modeltap.stats()
spark.stop()
print(json.dumps(told))
"""


class Ran(NamedTuple):
    told: dict[str, Any]
    spooled: Spooled


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One Spark session in a process of its own: what it told, and what it collected."""
    folder: Path = tmp_path_factory.mktemp("spark")
    ended = python(
        SCRIPT,
        seconds=115,  # a session starts slowly where others work too
        MODELTAP_STORE=str(folder / "store"),
        MODELTAP_SPOOL=str(folder / "spool"),
        MODELTAP_SHIPPER="none",
        MODELTAP_EXIT_FLUSH_SECONDS="0",
        PYSPARK_PYTHON=sys.executable,
        PATH=os.environ["PATH"],
    )
    assert ended.code == 0, ended.err
    return Ran(json.loads(ended.out.splitlines()[-1]), Spooled(folder / "spool"))


def rows(ran: Ran, model: str, designation: str) -> list[Any]:
    return [row for row in ran.spooled.rows(designation) if row.model == model]


def test_every_type_of_spark_is_kept(ran: Ran):
    assert ran.told["types"]
    first, second = rows(ran, "types", "inputs")
    assert first.types == {
        "b": "bool", "i": "int64", "s": "int64", "d": "float64", "f": "float64", "t": "string", "z": "timestamp",
        "n": "timestamp", "m": "decimal", "y": "binary", "l": "json", "r": "json", "k": "json", "e": "string",
        "w": "float64",
    }  # fmt: skip
    assert first.data == (
        *(True, 1, 2, 0.5, 1.5, "x", "2026-11-22T21:39:52.656442", "2026-11-22T21:39:52.656442", "1.50", "YWI="),
        *("[1,2]", '{"p":3,"q":"y"}', '{"k":4}', "2026-11-22", None),
    )
    assert set(second.data) == {None}


def test_a_frame_of_predictions_joins_its_inputs_whole_and_never_in_part(ran: Ran):
    assert ran.told["columns"][0] == "y"
    assert len(ran.told["columns"]) == 9
    assert ran.told["joined"]
    assert ran.told["filtered"]
    found = rows(ran, "m", "predictions")
    assert [(row.data, row.row, row.correlation_id) for row in found[:5]] == [((n * 10,), n, "loan") for n in range(5)]
    assert [(row.data, row.row) for row in found[5:]] == [((30,), None), ((40,), None)]
    assert {row.request_id for row in found} == {rows(ran, "m", "inputs")[0].request_id}


def test_a_frame_without_rows_is_taken_and_one_without_correlations_unchanged(ran: Ran):
    assert ran.told["empty"]
    assert ran.told["unchanged"]


def test_rows_of_spark_are_records(ran: Ran):
    assert ran.told["row"]
    assert ran.told["rows"]
    expected = [{"a": 0, "b": 0.0}, {"a": 0, "b": 0.0}, {"a": 1, "b": 0.5}]
    assert [row.cells for row in rows(ran, "rows", "inputs")] == expected


def test_inside_a_request_a_frame_is_refused_and_no_job_runs(ran: Ran):
    assert ran.told["in a request"] is None
    assert ran.told["jobs in a request"] == 0
    assert ran.told["stats"]["rejected"] == {"spark_in_request": 1}


def test_switched_off_no_job_runs(ran: Ran):
    assert ran.told["off"]
    assert ran.told["jobs when off"] == 0
    assert ran.told["stats when off"]["off"] == 1
    assert ran.told["stats when off"]["rejected"] == {}
