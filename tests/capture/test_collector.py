"""The collector itself: its signature, where its names come from, its switches, and what it says of itself."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import modeltap
from modeltap import ModelDataCollector
from support.spooled import Spooled, Start


class Nameless:
    """Nothing can be told of it."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")

    def __hash__(self) -> int:
        raise RuntimeError("not hashable")


def folders(spooled: Spooled) -> list[str]:
    return [frame.descriptor.key.folder for frame in spooled.frames()]


# ---- signature and names


def test_the_signature_is_the_originals_with_the_older_name_beside():
    parameters = inspect.signature(ModelDataCollector).parameters
    assert [(name, found.default) for name, found in parameters.items()] == [
        ("model_name", inspect.Parameter.empty),
        ("designation", "default"),
        ("feature_names", None),
        ("workspace", "default/default/default"),
        ("webservice_name", "default"),
        ("model_version", "default"),
        ("collection_name", "default"),
        ("identifier", None),
    ]
    kinds = {found.kind for name, found in parameters.items() if name != "identifier"}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert list(inspect.signature(ModelDataCollector.collect).parameters) == [
        "self",
        "input_data",
        "user_correlation_id",
    ]
    assert list(inspect.signature(ModelDataCollector.add_correlations).parameters) == ["self", "data", "correlations"]


def test_every_argument_may_be_given_by_its_place(spooled: Spooled):
    collector = ModelDataCollector("m", "inputs", ["a"], "sub/rg/ws", "svc", "3", "collection")
    collector.collect([[1]], "user")
    assert folders(spooled) == ["sub/rg/ws/svc/m/3/inputs"]
    assert spooled.rows()[0].cells == {"a": 1}


@pytest.mark.parametrize(
    ("given", "designation"),
    [
        ({"designation": "inputs"}, "inputs"),
        ({"identifier": "inputs"}, "inputs"),
        ({}, "default"),
        ({"designation": "predictions", "identifier": "inputs"}, "predictions"),
        ({"designation": "default", "identifier": "labels"}, "labels"),
        ({"designation": "what ever/it is", "identifier": None}, "what ever%2Fit is"),
        ({"identifier": Nameless(), "designation": "x"}, "x"),
    ],
)
def test_designation_and_identifier_are_one_argument_and_any_name_will_do(
    spooled: Spooled, given: dict[str, Any], designation: str
):
    assert ModelDataCollector("m", **given).collect([1]) is not None
    assert folders(spooled) == [f"default/default/default/default/m/default/{designation}"]


@pytest.mark.parametrize(
    ("workspace", "folder"),
    [
        ("sub/rg/ws", "sub/rg/ws"),
        ("/Sub/RG/ws/", "Sub/RG/ws"),
        ("sub", "sub/default/default"),
        ("default/default/default", "env/rg/ws"),
        ("", "env/rg/ws"),
        (None, "env/rg/ws"),
    ],
)
def test_the_workspace_is_that_of_the_code_or_else_of_the_environment(start: Start, workspace: Any, folder: str):
    spooled = start(MODELTAP_WORKSPACE="env/rg/ws")
    ModelDataCollector("m", "inputs", workspace=workspace).collect([1])
    assert folders(spooled) == [f"{folder}/default/m/default/inputs"]


@pytest.mark.parametrize(
    ("variables", "service"),
    [
        ({"MODELTAP_SERVICE": "a", "SERVICE_NAME": "b", "OTEL_SERVICE_NAME": "c", "K_SERVICE": "d"}, "a"),
        ({"SERVICE_NAME": "b", "OTEL_SERVICE_NAME": "c", "K_SERVICE": "d"}, "b"),
        ({"OTEL_SERVICE_NAME": "c", "K_SERVICE": "d"}, "c"),
        ({"K_SERVICE": "d"}, "d"),
        ({}, "default"),
    ],
)
def test_service_and_version_are_those_of_the_code_or_else_of_the_environment(
    start: Start, variables: dict[str, str], service: str
):
    spooled = start(MODELTAP_MODEL_VERSION="9", **variables)
    ModelDataCollector("m", "inputs").collect([1])
    ModelDataCollector("m", "inputs", webservice_name="own", model_version="3").collect([1])
    ModelDataCollector("m", "inputs", webservice_name="", model_version="").collect([1])
    base = "default/default/default"
    assert folders(spooled) == [
        f"{base}/{service}/m/9/inputs",
        f"{base}/own/m/3/inputs",
        f"{base}/{service}/m/9/inputs",
    ]


@pytest.mark.parametrize("name", ["../..", "a/b", ".", "con", "a\0b", "a%2fb", "ümläut", "?#", " x ", "trailing."])
def test_a_name_that_is_no_file_name_is_encoded_and_can_be_read_back(spooled: Spooled, name: str):
    ModelDataCollector(name, name, webservice_name=name, model_version=name).collect([1])
    (frame,) = spooled.frames()
    key = frame.descriptor.key
    assert (key.model, key.designation, key.service, key.version) == (name,) * 4
    assert len(key.folder.split("/")) == 7


@pytest.mark.parametrize(
    "given",
    [
        {"model_name": "x" * 300},
        {"model_name": "x" * 5000},
        {"model_name": "a\ud800"},
        {"model_name": "m", "designation": "é" * 200},
        {"model_name": "m", "webservice_name": "x" * 256},
        {"model_name": "m", "workspace": "one/part/too/many"},
    ],
)
def test_a_name_that_no_path_can_hold_rejects_the_rows_and_says_what_to_change(
    spooled: Spooled, caplog: pytest.LogCaptureFixture, given: dict[str, Any]
):
    collector = ModelDataCollector(**given)
    assert collector.collect(np.zeros((3, 2))) is None
    assert collector.collect(pd.DataFrame({"a": [1, 2]})) is None
    assert modeltap.stats()["rejected"] == {"bad_name": 5}
    assert spooled.frames() == []
    modeltap.close()
    assert "rejected as bad_name" in caplog.text
    assert any(word in caplog.text for word in ("choose", "write <subscription>"))


@pytest.mark.parametrize("name", [None, "", 17, Nameless(), b"x", ["a"], float("nan"), object])
def test_a_name_of_any_kind_makes_a_collector(spooled: Spooled, name: Any):
    collector = ModelDataCollector(name, name, name, name, name, name, name, identifier=name)
    collector.collect([1])
    assert modeltap.stats()["accepted"] + sum(modeltap.stats()["rejected"].values()) == 1


def test_what_the_constructor_says_is_in_the_values_that_collect_gives(spooled: Spooled):
    collector = ModelDataCollector("m", "inputs", workspace="a/b/c", webservice_name="s", model_version="2")
    given = collector.collect([1])
    assert given is not None
    assert [given[f"$aml_{name}"] for name in ("workspace", "service_name", "model_name", "model_version")] == [
        *("a/b/c", "s", "m", "2")
    ]


# ---- counting


def test_every_offered_row_is_counted_once(spooled: Spooled):
    collector = ModelDataCollector("m", "inputs")
    collector.collect([[1], [2]])
    collector.collect([])
    collector.collect([[1], [2, 3]])
    collector.collect(object())
    collector.collect([["a"], ["\ud800"]])
    collector.collect(pd.DataFrame({"a": [1, 2, 3]}), ["one", "two"])
    stats = modeltap.stats()
    assert stats["accepted"] == 2
    assert stats["rejected"] == {
        "ragged_rows": 2,
        "unsupported_type": 1,
        "text_not_unicode": 2,
        "correlation_ids_mismatch": 3,
    }
    assert stats["collections"]["m/default/inputs"]["accepted"] == 2
    assert len(spooled.rows()) == 2


def test_collectors_of_one_collection_count_together(spooled: Spooled):
    for _ in range(3):
        ModelDataCollector("m", "inputs").collect([1])
    ModelDataCollector("m", "labels").collect([1])
    assert {name: found["accepted"] for name, found in modeltap.stats()["collections"].items()} == {
        "m/default/inputs": 3,
        "m/default/labels": 1,
    }


def test_a_full_spool_rejects_all_rows_that_it_did_not_take(start: Start):
    spooled = start(MODELTAP_SPOOL_MAX_BYTES="256KiB")
    collector = ModelDataCollector("m", "inputs")
    block = np.random.default_rng(0).random((1000, 10))
    results = [collector.collect(block) for _ in range(10)]
    stats = modeltap.stats()
    assert results[0] is not None
    assert results[-1] is None
    assert stats["accepted"] == len(spooled.rows()) == 1000 * (len(results) - results.count(None))
    assert stats["rejected"] == {"spool_full": 10_000 - stats["accepted"]}


def test_a_call_of_many_frames_counts_those_that_were_taken_and_those_that_were_not(start: Start):
    spooled = start(MODELTAP_SPOOL_MAX_BYTES="3MiB")
    collector = ModelDataCollector("m", "inputs")
    block = np.random.default_rng(0).random((80_000, 10))
    assert collector.collect(block) is None
    stats = modeltap.stats()
    assert 0 < stats["accepted"] == len(spooled.rows()) < 80_000
    assert stats["rejected"] == {"spool_full": 80_000 - stats["accepted"]}


def test_without_a_spool_rows_are_rejected_and_scoring_goes_on(start: Start, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    start(MODELTAP_SPOOL=str(tmp_path / "file" / "spool"))
    collector = ModelDataCollector("m", "inputs")
    assert collector.collect([[1], [2]]) is None
    stats = modeltap.stats()
    assert stats["rejected"] == {"no_spool": 2}
    assert str(tmp_path / "file" / "spool") in stats["problem"]
    assert not modeltap.flush(0.1)


# ---- switches


@pytest.mark.parametrize(
    "variables",
    [
        {"MODELTAP_COLLECT_MODEL_DATA": "false"},
        {"AML_MODEL_DC_STORAGE_ENABLED": "false"},
        {"AML_MODEL_DC_STORAGE_ENABLED": "no"},
        {"MODELTAP_DISABLED": "true"},
    ],
)
def test_switched_off_collect_still_gives_its_values_and_counts(start: Start, variables: dict[str, str]):
    spooled = start(**variables)
    inputs, predictions = ModelDataCollector("m", "inputs"), ModelDataCollector("m", "predictions")
    correlations = inputs.collect([[1], [2]], ["a", "b", "too many"])
    assert correlations is not None
    assert len(correlations) == 8
    frame = predictions.add_correlations(pd.DataFrame({"y": [1, 2]}), correlations)
    assert predictions.collect(frame) is not None
    assert inputs.collect(object()) is not None
    assert inputs.collect([[1], [2, 3]]) is not None
    assert inputs.collect(None) is not None
    stats = modeltap.stats()
    assert (stats["off"], stats["accepted"], stats["rejected"]) == (8, 0, {})
    assert spooled.frames() == []


def test_on_again_wins_over_the_originals_off(start: Start):
    spooled = start(AML_MODEL_DC_STORAGE_ENABLED="false", MODELTAP_COLLECT_MODEL_DATA="true")
    ModelDataCollector("m", "inputs").collect([1])
    assert len(spooled.rows()) == 1


def test_disabled_leaves_no_trace(start: Start, tmp_path: Path):
    start(MODELTAP_DISABLED="true")
    assert ModelDataCollector("m", "inputs").collect([1]) is not None
    assert modeltap.flush(0.1)
    modeltap.close()
    assert not (tmp_path / "spool").exists()
    assert not (tmp_path / "store").exists()


def test_debugging_shows_the_rows_and_stores_none(start: Start, capsys: pytest.CaptureFixture[str]):
    spooled = start(AML_MODEL_DC_DEBUG="true")
    collector = ModelDataCollector("m", "inputs", ["a", "b"])
    assert collector.collect(np.array([[1.5, 2.0], [3.0, 4.0]])) is not None
    assert collector.collect([[1, "x"]]) is not None
    assert collector.collect(object()) is None
    assert spooled.frames() == []
    shown = capsys.readouterr().out.splitlines()
    where = "modeltap default/default/default/default/m/default/inputs "
    assert shown == [where + '{"a":1.5,"b":2.0}', where + '{"a":3.0,"b":4.0}', where + '{"a":1,"b":"x"}']
    assert modeltap.stats()["off"] == 3
    assert modeltap.stats()["rejected"] == {"unsupported_type": 1}


# ---- what is said in the log


def test_a_reason_is_logged_once_and_names_what_happened(spooled: Spooled, caplog: pytest.LogCaptureFixture):
    collector = ModelDataCollector("m", "inputs")
    for _ in range(100):
        collector.collect([[1], [2, 3]])
        collector.collect({1, 2})
    modeltap.close()
    texts = [record.getMessage() for record in caplog.records if record.name == "modeltap"]
    assert sorted(texts) == [
        "modeltap: m/inputs: collecting a list: rejected as ragged_rows; scoring goes on, modeltap doctor has the counts",
        "modeltap: m/inputs: collecting a set: rejected as unsupported_type; scoring goes on, modeltap doctor has the counts",
    ]


def test_no_log_line_holds_a_value_of_a_row(spooled: Spooled, caplog: pytest.LogCaptureFixture):
    class Telling:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise ValueError("could not convert string to float: 'SECRET'")

        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise ValueError("SECRET")

    caplog.set_level(logging.DEBUG)
    collector = ModelDataCollector("m", "inputs", Telling())  # type: ignore[arg-type]
    for value in (Telling(), ["SECRET", object()], [["SECRET\ud800"]], {"SECRET": 1j}, [["SECRET"], ["SECRET", 1]]):
        assert collector.collect(value) is None
    correlations = collector.collect([1])
    collector.add_correlations(Telling(), correlations)
    collector.collect([[1]], ["SECRET", "SECRET"])
    modeltap.close()
    assert "rejected as ValueError (test_collector.py:" in caplog.text
    assert "adding correlations to a Telling: ValueError" in caplog.text
    assert "SECRET" not in caplog.text


def test_collecting_says_nothing_on_the_standard_streams(spooled: Spooled, capfd: pytest.CaptureFixture[str]):
    collector = ModelDataCollector("m", "inputs")
    for value in ([[1]], object(), [[1], [2, 3]], Nameless()):
        collector.collect(value)
        collector.add_correlations(value, collector.collect([1]))
    modeltap.close()
    assert capfd.readouterr() == ("", "")


# ---- its life


def test_a_collector_that_outlives_close_rejects_and_a_new_one_collects(spooled: Spooled):
    old = ModelDataCollector("m", "inputs")
    old.collect([1])
    modeltap.close()
    assert old.collect([2]) is None
    new = ModelDataCollector("m", "inputs")
    new.collect([3])
    assert spooled.values() == [(1,), (3,)]
    assert modeltap.stats()["accepted"] == 1


def test_settings_are_read_when_the_first_collector_is_made(start: Start, monkeypatch: pytest.MonkeyPatch):
    spooled = start(MODELTAP_SERVICE="first")
    ModelDataCollector("m", "inputs").collect([1])
    monkeypatch.setenv("MODELTAP_SERVICE", "second")
    ModelDataCollector("m", "inputs").collect([1])
    modeltap.close()
    ModelDataCollector("m", "inputs").collect([1])
    assert [frame.descriptor.key.service for frame in spooled.frames()] == ["first", "first", "second"]
