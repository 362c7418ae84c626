"""The wheel alone, in an environment without any other package: ten lines collect, ship and can be looked at."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from support.hosts import Host, until
from support.pythons import ROOT

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

TEN_LINES = """\
import modeltap

inputs = modeltap.ModelDataCollector("loans", "inputs", feature_names=["age", "income"])
predictions = modeltap.ModelDataCollector("loans", "predictions", feature_names=["risk"])

for age in range(18, 68):
    inputs.collect([[age, 1000.5 * age]])
    predictions.collect([1.0 / age])

print("done")
"""
SECONDS = 10.0
"""Two are what is wanted; ten are what a busy machine is given."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    """The commands of an environment that has the built wheel and nothing else."""
    folder = tmp_path_factory.mktemp("plain")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(wheel, check=True, capture_output=True, timeout=120)
    venv.create(folder / "venv", symlinks=True)
    install = [*pip, "--python", str(folder / "venv"), "install", "--no-index", "--no-deps", *folder.glob("*.whl")]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return folder / "venv" / "bin"


@pytest.fixture
def lonely(tmp_path):
    """A host whose Pythons find nothing but what is installed."""
    host = Host(tmp_path)
    del host.environment["PYTHONPATH"]
    yield host
    host.close()


def command(host: Host, *argv: object, code: int = 0) -> str:
    done = subprocess.run(
        [str(word) for word in argv],
        env=host.environment,
        cwd=host.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_ten_lines_with_plain_lists_are_in_data_csv_soon(plain, lonely):
    packages = command(lonely, plain / "python", "-c", "import sys, os; print(*os.listdir(sys.path[-1]))").split()
    assert {name.partition("-")[0] for name in packages} == {"modeltap"}

    script = lonely.folder / "ten_lines.py"
    script.write_text(TEN_LINES)
    started = time.monotonic()
    command(lonely, plain / "python", script)
    ended = time.monotonic()
    until(lambda: lonely.arrived() == 100, SECONDS, lambda: f"{lonely.arrived()} of 100 rows")
    now = time.monotonic()
    print(f"100 rows in data.csv {now - ended:.2f} s after the script ended, {now - started:.2f} s after its start")

    inputs = lonely.rows("inputs")
    assert [(row["age"], row["income"]) for row in inputs[:2]] == [("18", "18009.0"), ("19", "19009.5")]
    assert [row["$RequestId"] for row in inputs] == [row["$RequestId"] for row in lonely.rows("predictions")]
    assert lonely.status()["agent"]["encoder"] == "reference"


def test_the_verbs_work_and_a_missing_extra_says_what_to_install(plain, lonely):
    modeltap = plain / "modeltap"
    script = lonely.folder / "ten_lines.py"
    script.write_text(TEN_LINES)
    command(lonely, plain / "python", script)
    assert command(lonely, modeltap, "flush", "--timeout", "60") == "nothing is left to ship\n"
    listed = json.loads(command(lonely, modeltap, "ls", "--json"))
    assert {(found["designation"], found["rows"]) for found in listed["collections"]} == {
        ("inputs", 50),
        ("predictions", 50),
    }
    assert "18009.0" in command(lonely, modeltap, "head", "loans", "inputs")
    assert "ok  self-test" in command(lonely, modeltap, "doctor")
    for verb in ("agent", "serve", "run", "demo", "ls"):
        assert command(lonely, modeltap, verb, "--help").startswith("usage: modeltap")
    assert "csv" in command(lonely, modeltap, "read-options", "csv")
    score = lonely.folder / "score.py"
    score.write_text("def init(): pass\ndef run(raw_data): return raw_data\n")
    assert 'pip install "modeltap[serve]"' in command(lonely, modeltap, "serve", score, code=2)
    assert 'pip install "modeltap[demo]"' in command(lonely, modeltap, "demo", code=2)
    assert not (lonely.folder / "modeltap-demo").exists()
