"""``modeltap VERB``: usage, exit codes, errors as sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest

from modeltap.cli import main
from modeltap.cli.program import VERBS
from modeltap.stores.urls import open_store
from support.collected import key, line, put_rows
from support.pythons import ROOT, command, python


def modeltap(*arguments: str, **variables: str):
    return command([sys.executable, "-m", "modeltap", *arguments], **variables)


@pytest.fixture
def store(tmp_path):
    path = str(tmp_path / "store")
    opened = open_store(path)
    put_rows(opened, key(), [line(1, "a", 0, 41, "Ada"), line(2, "b", 0, 42, "\x1b[31mBob")])
    put_rows(opened, key("predictions"), [line(1, "a", 0, 1, "yes")])
    return path


def test_the_version_is_told():
    assert modeltap("--version").out == "modeltap 0.1.0\n"


def test_every_verb_has_help_and_the_common_options():
    for verb in VERBS:
        done = modeltap(verb.replace("_", "-"), "--help")
        assert done.code == 0, done.err
        assert "--store" in done.out
        assert "--workspace" in done.out


@pytest.mark.parametrize(
    "arguments", [[], ["nothing"], ["ls", "--nothing"], ["head", "-n", "0"], ["read-options", "vi"], ["serve"]]
)
def test_wrong_usage_is_2(arguments):
    done = modeltap(*arguments)
    assert done.code == 2
    assert done.err.startswith("usage:")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["-n", "many"], "'many' is no number from 1 to 100,000"),
        (["--day", "today"], "'today' is no day like 2026-11-22"),
    ],
)
def test_wrong_usage_says_what_is_right(option, said):
    assert said in modeltap("head", *option).err


def test_an_error_is_one_sentence_and_a_store_of_a_later_version_is_2():
    done = modeltap("ls", "--store", "s3://bucket/prefix")
    assert done.code == 2
    assert done.err.startswith("modeltap ls: opening the store s3://bucket/prefix: this version ships to folders")
    assert "Traceback" not in done.err


def test_no_secret_of_a_store_is_shown():
    secret = "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"
    for verb in (["ls"], ["doctor", "--no-self-test"], ["doctor", "--no-self-test", "--json"]):
        done = modeltap(*verb, MODELTAP_STORE=secret)
        assert done.code in (1, 2)
        assert "c2VjcmV0" not in done.out + done.err


def test_ls_shows_each_collection(store):
    out = modeltap("ls", "--store", store).out.splitlines()
    assert out[0].split() == [
        "service",
        "model",
        "version",
        "designation",
        "days",
        "files",
        "rows",
        "bytes",
        "last",
        "row",
        "(UTC)",
    ]
    assert out[2].split()[:7] == ["shop", "churn", "1", "inputs", "1", "1", "2"]
    assert len(out) == 4


def test_ls_of_an_empty_store_points_to_the_doctor(tmp_path):
    done = modeltap("ls", "--store", str(tmp_path / "nothing"))
    assert (done.code, done.err) == (0, "")
    assert "modeltap doctor" in done.out


def test_head_shows_rows_and_spells_controls_out(store):
    done = modeltap("head", "churn", "--store", store)
    assert done.code == 0
    assert "\\x1b[31mBob" in done.out
    assert "\x1b" not in done.out


def test_head_joined_for_programs(store):
    import json

    rows = json.loads(modeltap("head", "churn", "--join", "--json", "--store", store).out)
    assert rows[0]["inputs.age"] == "41"
    assert rows[0]["predictions.name"] == "yes"
    assert rows[1]["inputs.name"] == "\x1b[31mBob"


def test_read_options_of_a_model_have_its_types(store):
    out = modeltap("read-options", "polars", "churn", "--store", store).out
    assert f"{store}/modeldata/sub/rg/ws/shop/churn/1/inputs/2026/11/22/data.csv" in out
    assert "'age': polars.Int64" in out


def test_the_printed_pandas_code_reads_the_file(store):
    code = modeltap("read-options", "pandas", "churn", "--store", store).out
    done = python(f"{code}\nprint(frame['age'].sum(), frame['name'][1])")
    assert done.out == "83 \x1b[31mBob\n", done.err


def test_a_reader_that_has_enough_is_no_error(store):
    shell = f"{sys.executable} -m modeltap head churn -n 2 --store {store} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_main_can_be_called_from_python(store, capsys):
    assert main(["ls", "--store", store]) == 0
    assert "churn" in capsys.readouterr().out
