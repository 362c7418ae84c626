"""Verbs that start processes: agent, flush, doctor, run, and the demo from beginning to end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from modeltap.cli.tour.folder import MARK, DemoFolder
from modeltap.errors import SettingsError
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.locks import FileLock
from support.pythons import ROOT, command, python
from support.servers import call

COLLECT = """
import modeltap
inputs = modeltap.ModelDataCollector("churn", "inputs", feature_names=["age"])
for age in range(20):
    inputs.collect([[age]])
"""


def modeltap(*arguments: str, **variables: str):
    return command([sys.executable, "-m", "modeltap", *arguments], **variables)


@pytest.fixture
def places(tmp_path):
    return {
        "MODELTAP_STORE": str(tmp_path / "store"),
        "MODELTAP_SPOOL": str(tmp_path / "spool"),
        "MODELTAP_SHIPPER": "none",
    }


def rows_in(places) -> int:
    files = Path(places["MODELTAP_STORE"], "modeldata").rglob("data.csv")
    return sum(file.read_bytes().count(b"\r\n") - 1 for file in files)


def test_flush_ships_what_a_dead_service_left(places):
    assert python(COLLECT, **places).code == 0
    assert rows_in(places) == 0
    done = modeltap("flush", "--timeout", "30", **places)
    assert (done.code, done.out) == (0, "nothing is left to ship\n"), done.err
    assert rows_in(places) == 20


def test_flush_that_cannot_ship_is_1(places):
    python(COLLECT, **places)
    Path(places["MODELTAP_STORE"]).write_text("a file where the store should be")
    done = modeltap("flush", "--timeout", "1", **places)
    assert done.code == 1
    assert "modeltap doctor" in done.out


def test_an_agent_by_hand_ships_and_ends_with_sigterm(places):
    python(COLLECT, **places)
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT / "src")}
    agent = subprocess.Popen([sys.executable, "-m", "modeltap", "agent"], env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while rows_in(places) < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    agent.send_signal(signal.SIGTERM)
    _, said = agent.communicate(timeout=30)
    assert (agent.returncode, rows_in(places)) == (0, 20), said


def test_the_doctor_exits_1_when_rows_do_not_arrive(places):
    done = modeltap("doctor", "--no-self-test", "--json", **places, MODELTAP_DISABLED="true")
    assert done.code == 1
    document = json.loads(done.out)
    assert document["healthy"] is False
    assert document["next_step"] == "unset MODELTAP_DISABLED"


def test_the_doctor_sends_a_row_and_says_so(places):
    done = modeltap("doctor", **{**places, "MODELTAP_SHIPPER": "process"})
    assert done.code == 0, done.out
    assert re.search(
        r"^ok  self-test  a row was spooled, shipped and read back within \d+\.\d s$", done.out, re.MULTILINE
    )
    assert done.out.splitlines()[-1].startswith("Next: ")


def test_run_gives_the_command_the_import_names_of_the_original(places):
    script = "from azureml.monitoring import ModelDataCollector; print(ModelDataCollector.__module__)"
    done = modeltap("run", "--", sys.executable, "-c", script, **places)
    assert done.out == "modeltap.capture.collector\n", done.err
    assert modeltap("run", "--", "no-such-program").code == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_shows_that_every_row_arrived_and_keeps_running_until_it_is_told_to_end(tmp_path):
    demo = [sys.executable, "-m", "modeltap", "demo", "--requests", "400", "--keep-running"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        demo, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        said = _read_until(process, rb"POST (http://\S+)/score")
        up = re.search(r"POST (http://\S+)/score", said)
        assert up, said
        assert call(up[1] + "/").status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    counted = said.partition("Counted")[2]
    accepted, shipped, in_files = (int(n.replace(",", "")) for n in re.findall(r"(\d[\d,]*) rows", counted))
    assert accepted == shipped == in_files > 800
    assert "2 failed on purpose" in said
    assert re.search(r"modeldata/default/default/default/clinic/tumour/default/inputs/\d{4}/\d\d/\d\d/data\.csv", said)
    assert re.search(r"one collect\(\) costs +\d+\.\d microseconds", said)
    listed = modeltap("ls", "--json", "--store", str(tmp_path / "modeltap-demo" / "store"))
    rows = {found["designation"]: found["rows"] for found in json.loads(listed.out)["collections"]}
    assert rows["inputs"] + rows["predictions"] == accepted


def _read_until(process: subprocess.Popen[bytes], pattern: bytes) -> str:
    said = b""
    while not re.search(pattern, said):
        line = process.stdout.readline()
        if not line:
            break
        said += line
    return said.decode()


def test_the_demo_empties_only_a_folder_of_its_own(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("keep")
    with pytest.raises(SettingsError, match="no demo made it"):
        DemoFolder(tmp_path / "mine").make()
    assert (tmp_path / "mine" / "precious.txt").read_text() == "keep"
    folder = DemoFolder(tmp_path / "demo")
    folder.make()
    (folder.path / "rest").write_text("of the last demo")
    folder.make()
    assert sorted(path.name for path in folder.path.iterdir()) == [MARK, "score.py", "train.py"]


def test_the_demo_waits_until_the_agent_of_the_last_one_has_ended(tmp_path):
    folder = DemoFolder(tmp_path / "demo")
    folder.make()
    spool = SpoolDirectory.open(folder.spool, folder.store)
    agent = FileLock(spool.agent_lock)
    assert agent.acquire()
    ending = threading.Timer(0.5, agent.close)
    ending.start()
    folder.make()
    assert not agent.held
    assert not Path(folder.spool).exists()
    ending.join()
