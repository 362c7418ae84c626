"""The agent as a child: one start at a time, nothing inherited, nothing waited for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from modeltap.spool.child import MAX_FRUITLESS_STARTS, PAUSE_SECONDS, AgentChild
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.locks import FileLock
from support.spools import open_spool

STORE = "/srv/data"
SECONDS = 30.0
RECORDER = """#!{python}
import json, os, sys
handles = sorted(map(int, os.listdir("/proc/self/fd")))
told = {{
    "argv": sys.argv[1:],
    "handles": [handle for handle in handles if os.path.exists(f"/proc/self/fd/{{handle}}")],
    "targets": [os.path.realpath(f"/proc/self/fd/{{handle}}") for handle in (0, 1, 2)],
    "leader": os.getsid(0) == os.getpid(),
    "environment": {{name: value for name, value in os.environ.items() if name.startswith("MODELTAP_")}},
}}
place = os.path.join({folder!r}, f"{{os.getpid()}}.json")
with open(place + ".new", "w") as file:
    json.dump(told, file)
os.rename(place + ".new", place)
"""


class Recorder:
    """A real executable in the place of the interpreter; says of each start how it was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "starts"
        self.folder.mkdir()
        self.path = folder / "python-recorder"
        self.path.write_text(RECORDER.format(python=sys.executable, folder=str(self.folder)), encoding="utf-8")
        self.path.chmod(0o700)

    def starts(self, number: int) -> list[dict[str, Any]]:
        """What so many starts told; waits for them."""
        deadline = time.monotonic() + SECONDS
        while True:
            found = sorted(self.folder.glob("*.json"))
            if len(found) >= number:
                return [json.loads(path.read_bytes()) for path in found]
            assert time.monotonic() < deadline, f"{len(found)} starts instead of {number}"
            time.sleep(0.01)


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDirectory:
    return open_spool(tmp_path)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


@pytest.fixture
def children() -> Iterator[list[AgentChild]]:
    made: list[AgentChild] = []
    yield made
    for child in made:
        for process in child._processes:
            process.wait(SECONDS)


def child_of(spool: SpoolDirectory, children: list[AgentChild], executable: str | Path | None) -> AgentChild:
    child = AgentChild(spool, os.path.dirname(spool.path), STORE, None if executable is None else str(executable))
    children.append(child)
    return child


def let_the_pause_pass(spool: SpoolDirectory, seconds: float = PAUSE_SECONDS) -> None:
    os.utime(spool.start_lock, (time.time() - seconds,) * 2)


def test_the_agent_is_started_with_spool_store_and_the_environment(spool, recorder, children, monkeypatch):
    monkeypatch.setenv("MODELTAP_SERVICE", "shop")
    monkeypatch.setenv("MODELTAP_STORE", "/changed/since")
    child_of(spool, children, recorder.path).see_to_it()
    (start,) = recorder.starts(1)

    assert start["argv"] == ["-m", "modeltap.agent", "--spool", os.path.dirname(spool.path), "--detach"]
    assert start["environment"] == {"MODELTAP_SERVICE": "shop", "MODELTAP_STORE": STORE}


def test_no_key_of_the_store_stands_in_its_command_line(spool, recorder, children):
    store = "AccountName=shop;AccountKey=geheim"
    child = AgentChild(spool, os.path.dirname(spool.path), store, str(recorder.path))
    children.append(child)
    child.see_to_it()
    (start,) = recorder.starts(1)

    assert not [argument for argument in start["argv"] if "geheim" in argument]
    assert start["environment"]["MODELTAP_STORE"] == store


def test_it_inherits_no_pipe_no_socket_and_no_file_of_the_host(spool, recorder, children, tmp_path):
    reading, writing = os.pipe()
    with socket.socket() as listening, (tmp_path / "file").open("wb") as file:
        for handle in (reading, writing, listening.fileno(), file.fileno()):
            os.set_inheritable(handle, True)
        try:
            child_of(spool, children, recorder.path).see_to_it()
            (start,) = recorder.starts(1)
        finally:
            os.close(reading)
            os.close(writing)

    # What is beyond the standard three was opened by the interpreter for itself: its script, if at all.
    assert start["handles"][:3] == [0, 1, 2]
    assert len(start["handles"]) <= 4
    assert start["targets"] == [os.devnull, spool.agent_log, spool.agent_log]
    assert start["leader"]


def test_a_pipe_that_the_host_closes_is_closed_although_the_agent_lives(spool, tmp_path, children):
    sleeper = tmp_path / "python-sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
    sleeper.chmod(0o700)
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    child = child_of(spool, children, sleeper)
    child.see_to_it()
    os.close(writing)
    ended = os.read(reading, 1)
    os.close(reading)
    (process,) = child._processes

    assert ended == b""
    assert process.poll() is None
    process.kill()


def test_several_processes_start_one_agent(spool, recorder, children):
    for _ in range(10):
        child_of(spool, children, recorder.path).see_to_it()
    recorder.starts(1)
    for child in children:
        child.see_to_it()

    assert len(recorder.starts(1)) == 1


def test_the_next_start_comes_after_the_pause(spool, recorder, children):
    child = child_of(spool, children, recorder.path)
    child.see_to_it()
    recorder.starts(1)
    let_the_pause_pass(spool, PAUSE_SECONDS - 2)
    child.see_to_it()
    assert len(recorder.starts(1)) == 1
    let_the_pause_pass(spool)
    child.see_to_it()

    assert len(recorder.starts(2)) == 2


def test_a_clock_that_was_set_back_does_not_put_off_the_next_start(spool, recorder, children):
    child = child_of(spool, children, recorder.path)
    child.see_to_it()
    recorder.starts(1)
    let_the_pause_pass(spool, -86_400)
    child.see_to_it()

    assert len(recorder.starts(2)) == 2


def test_while_an_agent_runs_none_is_started(spool, recorder, children):
    agent = FileLock(spool.agent_lock)
    assert agent.acquire()
    child = child_of(spool, children, recorder.path)
    for _ in range(3):
        child.see_to_it()

    assert not Path(spool.start_lock).exists()
    agent.close()
    child.see_to_it()
    assert len(recorder.starts(1)) == 1


def test_while_somebody_else_starts_or_ends_one_nobody_waits(spool, recorder, children):
    other = FileLock(spool.start_lock)
    assert other.acquire()
    child = child_of(spool, children, recorder.path)
    child.see_to_it()
    assert not child.hopeless
    other.close()
    child.see_to_it()

    assert len(recorder.starts(1)) == 1


def test_agents_that_never_come_to_hold_their_lock_leave_no_hope(spool, recorder, children):
    child = child_of(spool, children, recorder.path)
    for number in range(MAX_FRUITLESS_STARTS):
        assert not child.hopeless
        child.see_to_it()
        recorder.starts(number + 1)
        let_the_pause_pass(spool)
    assert child.hopeless

    agent = FileLock(spool.agent_lock)
    assert agent.acquire()
    child.see_to_it()
    assert not child.hopeless
    agent.close()


def test_an_interpreter_that_is_missing_is_survived(spool, children, tmp_path):
    child = child_of(spool, children, tmp_path / "python-that-is-not-there")
    for _ in range(MAX_FRUITLESS_STARTS):
        assert not child.hopeless
        child.see_to_it()
        let_the_pause_pass(spool)

    assert child.hopeless


@pytest.mark.parametrize("executable", ["/usr/bin/uwsgi", "", "/opt/host/embedding"])
def test_a_host_that_embeds_an_interpreter_is_not_started_as_one(spool, children, executable):
    child = child_of(spool, children, executable)
    child.see_to_it()

    assert child.hopeless
    assert not Path(spool.start_lock).exists()


def test_this_interpreter_is_one(spool, children):
    assert not child_of(spool, children, None).hopeless


def test_a_log_that_cannot_be_written_keeps_no_agent_from_starting(spool, recorder, children):
    os.mkdir(spool.agent_log)
    child_of(spool, children, recorder.path).see_to_it()
    (start,) = recorder.starts(1)

    assert start["targets"] == [os.devnull] * 3


def test_the_log_is_the_owners_alone(spool, recorder, children):
    before = os.umask(0)
    try:
        child_of(spool, children, recorder.path).see_to_it()
        recorder.starts(1)
    finally:
        os.umask(before)

    assert os.stat(spool.agent_log).st_mode & 0o777 == 0o600
    assert os.stat(spool.start_lock).st_mode & 0o777 == 0o600


def test_an_agent_outlives_the_one_who_started_it_and_is_forgotten_without_a_warning(spool, tmp_path):
    script = (
        "import sys; from modeltap.spool.child import AgentChild; from modeltap.spool.directory import SpoolDirectory\n"
        "spool = SpoolDirectory.open(sys.argv[1], sys.argv[2])\n"
        "child = AgentChild(spool, sys.argv[1], sys.argv[2], sys.argv[3])\n"
        "child.see_to_it(); print(child._processes[0].pid); child.forget(); child.forget()\n"
    )
    sleeper = tmp_path / "python-sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
    sleeper.chmod(0o700)
    arguments = [os.path.dirname(spool.path), str(tmp_path / "store"), str(sleeper)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    agent = int(ended.stdout)
    os.kill(agent, 0)  # it is there
    with suppress(ProcessLookupError):
        os.kill(agent, 9)

    assert (ended.returncode, ended.stderr) == (0, "")
