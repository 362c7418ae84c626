"""The entry script, loaded by its path as the original's server loads it, and by a line in another file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from modeltap.compat import script
from modeltap.errors import SettingsError
from support.pythons import command, python

LOAD = """
import importlib.util, os, sys
path = os.path.join(os.environ["AML_APP_ROOT"], os.environ["AZUREML_ENTRY_SCRIPT"])
spec = importlib.util.spec_from_file_location("entry_module", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.init()
print(module.run("x"))
"""
SCORE = """
import dataclasses
from azureml.monitoring import ModelDataCollector
import helper
@dataclasses.dataclass
class Answer:
    name: "str"
def init():
    global answer
    answer = Answer(ModelDataCollector.__module__)
def run(data):
    return (answer.name, helper.NAME, data)
"""
ANSWER = "('modeltap.capture.collector', 'beside', 'x')\n"


def folder_with(tmp_path: Path, name: str, text: str = SCORE) -> Path:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    ((tmp_path / name).parent / "helper.py").write_text("NAME = 'beside'")
    return tmp_path


def entry() -> str:
    """What a user puts into ``AZUREML_ENTRY_SCRIPT``."""
    printed = command([sys.executable, "-m", "modeltap.compat.entry"])
    assert printed.err == ""
    return printed.out.strip()


@pytest.mark.parametrize("name", ["score.py", "main.py"])
def test_one_variable_is_enough_for_the_usual_names(tmp_path: Path, name: str):
    root = folder_with(tmp_path, name)
    ended = python(LOAD, AML_APP_ROOT=str(root), AZUREML_ENTRY_SCRIPT=entry())
    assert ended.out == ANSWER, ended.err


def test_the_source_directory_is_looked_at_first(tmp_path: Path):
    root = folder_with(tmp_path, "src/score.py")
    (root / "score.py").write_text("raise SystemExit('the wrong one')")
    ended = python(LOAD, AML_APP_ROOT=str(root), AZUREML_SOURCE_DIRECTORY="src", AZUREML_ENTRY_SCRIPT=entry())
    assert ended.out == ANSWER, ended.err


@pytest.mark.parametrize("absolute", [True, False])
def test_any_other_file_is_named_by_a_second_variable(tmp_path: Path, absolute: bool):
    root = folder_with(tmp_path, "my_scoring.py")
    named = str(root / "my_scoring.py") if absolute else "my_scoring.py"
    ended = python(LOAD, AML_APP_ROOT=str(root), AZUREML_ENTRY_SCRIPT=entry(), MODELTAP_ENTRY_SCRIPT=named)
    assert ended.out == ANSWER, ended.err


def test_a_line_in_the_hosts_own_file_does_the_same_and_never_loads_itself(tmp_path: Path):
    root = folder_with(tmp_path, "main.py")
    (root / "score.py").write_text("from modeltap.compat.entry import init, run\n")
    ended = python(LOAD, AML_APP_ROOT=str(root), AZUREML_ENTRY_SCRIPT="score.py")
    assert ended.out == ANSWER, ended.err


def test_a_missing_file_is_explained(tmp_path: Path):
    ended = python(LOAD, AML_APP_ROOT=str(tmp_path), AZUREML_ENTRY_SCRIPT=entry())
    assert f"no score.py or main.py in {tmp_path}, {os.getcwd()}; set MODELTAP_ENTRY_SCRIPT to the path" in ended.err


def test_a_file_without_run_is_explained(tmp_path: Path):
    (tmp_path / "score.py").write_text("def init(): pass\n")
    with pytest.raises(SettingsError, match=r"score.py: it has no function run; define run\(data\)"):
        script.load(tmp_path / "score.py")


@pytest.mark.parametrize(
    ("name", "text"),
    [("nothing.py", "there is no such file"), ("", "it is a folder"), ("a.txt", "it is no Python file")],
)
def test_a_path_that_is_no_scoring_file_is_explained(tmp_path: Path, name: str, text: str):
    (tmp_path / "a.txt").touch()
    with pytest.raises(SettingsError, match=text):
        script.existing(tmp_path / name)


def test_the_run_of_a_driver_module_is_the_one_that_counts(tmp_path: Path):
    (tmp_path / "real_score.py").write_text("def run(data): return 'real'")
    (tmp_path / "score.py").write_text(
        "import real_score as driver_module\ndef init(): pass\ndef run(data): return 'driver'"
    )
    ended = python(LOAD, AML_APP_ROOT=str(tmp_path), AZUREML_ENTRY_SCRIPT=entry())
    assert ended.out == "real\n", ended.err
