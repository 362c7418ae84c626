"""The agent as a process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import Any

import pytest

from modeltap.agent.process import Agent
from modeltap.spool.locks import FileLock
from support.agents import eventually


def test_it_ships_what_is_there_and_ends_when_it_is_told_to_do_it_once(host):
    host.spool.writer().collect_many([1.0, 2.0])
    _, said = host.agent("--once").communicate(timeout=60)
    assert host.shipped() == host.spool.accepted
    assert b"shipping" in said


def test_a_detached_agent_leaves_at_once_holds_no_pipe_and_ends_by_itself(host):
    writer = host.spool.writer().collect_many([1.0])
    started = host.agent("--detach", "--idle-seconds", "0.3", stdout=subprocess.PIPE)
    assert started.communicate(timeout=30) == (b"", b"")
    assert started.returncode == 0
    eventually(lambda: host.shipped() == host.spool.accepted)
    time.sleep(1.0)  # longer than it would stay without the living process
    assert host.agent_runs()
    writer.collect_many([2.0]).seal()
    eventually(lambda: not host.agent_runs())
    assert host.shipped() == host.spool.accepted
    assert not list(host.spool.path("segments").iterdir())
    eventually(lambda: "ended" in host.log())


def test_who_lives_is_told_by_the_locks_of_segments_and_not_by_process_ids(host):
    host.announce("host-1-a-r", pid=os.getpid())  # a zombie's, or one that was given to somebody else since
    host.agent("--detach", "--idle-seconds", "0.2").wait()
    eventually(host.agent_runs)
    eventually(lambda: not host.agent_runs())


def test_of_two_agents_that_start_at_once_one_ships(host):
    host.spool.writer().collect_many([1.0])
    agents = [host.agent("--detach", "--idle-seconds", "0.3") for _ in range(4)]
    assert [agent.wait(timeout=30) for agent in agents] == [0] * 4
    eventually(lambda: host.log().count("another agent ships") == 3)
    eventually(lambda: host.shipped() == host.spool.accepted)


def test_sigterm_ships_what_is_there_and_ends_with_0(host):
    writer = host.spool.writer()
    agent = host.agent()
    eventually(lambda: "segments" in host.status())
    writer.collect_many([float(number) for number in range(50)])
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=30)
    assert agent.returncode == 0
    assert host.shipped() == host.spool.accepted


@pytest.mark.parametrize("seconds", ["0", "0.05", "0.3"])
def test_sigterm_ends_it_within_the_grace_at_any_moment(host, seconds):
    host.spool.writer().collect_many([1.0])
    agent = host.agent("--grace-seconds", "1")
    time.sleep(float(seconds))
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=30)
    assert agent.returncode in {0, -signal.SIGTERM}  # the latter before it has taken the signal over
    assert not host.agent_runs()


def test_one_that_is_started_by_hand_stands_by_and_takes_over(host, tmp_path):
    first = host.agent()
    eventually(host.agent_runs)
    said = tmp_path / "said"
    with said.open("wb") as stderr:
        second = host.agent(stderr=stderr)
    eventually(lambda: "another agent ships" in said.read_text())
    host.spool.writer().collect_many([1.0])
    eventually(lambda: host.shipped() == host.spool.accepted)
    first.kill()
    host.spool.writer().collect_many([2.0])
    eventually(lambda: host.shipped() == host.spool.accepted)
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=30) == 0


def test_one_that_stands_by_ends_when_told(host):
    lock = FileLock(host.directory.agent_lock)
    assert lock.acquire()
    agent = host.agent()
    time.sleep(1.0)
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=30)
    assert agent.returncode == 0
    lock.close()


def test_an_agent_that_ends_looks_once_more_under_the_start_lock(host):
    start = FileLock(host.directory.start_lock)
    assert start.acquire()
    host.agent("--detach", "--idle-seconds", "0").wait()
    eventually(lambda: "segments" in host.status())
    time.sleep(1.5)
    assert host.agent_runs()  # somebody is about to start one, and must find this one
    start.close()
    eventually(lambda: not host.agent_runs())


def test_it_is_killed_again_and_again_and_every_row_stands_once(host):
    chance = random.Random(5)
    writer = host.spool.writer()
    for _ in range(8):
        agent = host.agent()
        eventually(host.agent_runs)
        deadline = time.monotonic() + chance.uniform(0.2, 0.9)
        while time.monotonic() < deadline:
            writer.collect_many([chance.random() for _ in range(5)])
            if chance.random() < 0.2:
                writer.seal()
                writer = host.spool.writer()
            time.sleep(0.005)
        agent.kill()
        agent.communicate()
    writer.seal()
    assert host.agent("--once").wait(timeout=60) == 0
    assert host.shipped() == host.spool.accepted


def test_a_spool_of_a_newer_modeltap_is_refused_with_1_and_left_untouched(host):
    path = host.spool.path("spool.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    host.spool.writer().collect_many([1.0])
    before = {found: found.read_bytes() for found in host.spool.path().rglob("*") if found.is_file()}
    agent = host.agent("--once")
    assert b"upgrade modeltap" in agent.communicate(timeout=30)[1]
    assert agent.returncode == 1
    assert {found: found.read_bytes() for found in host.spool.path().rglob("*") if found.is_file()} == before


def test_a_store_of_a_newer_modeltap_is_not_written_to(host):
    host.store.put("modeltap/store.json", b'{"format": 2}')
    host.spool.writer().collect_many([1.0])
    agent = host.agent("--once")
    agent.communicate(timeout=30)
    assert agent.returncode == 1
    assert [info.path for info in host.store.list("")] == ["modeltap/store.json"]
    assert "upgrade modeltap" in host.status()["last_error"]


def test_a_store_that_cannot_be_opened_yet_is_tried_again(host):
    host.store_path.write_text("in the way")
    host.spool.writer().collect_many([1.0])
    host.agent()
    eventually(lambda: host.status().get("last_error"))
    os.unlink(host.store_path)
    eventually(lambda: host.shipped() == host.spool.accepted)


def test_rows_of_too_many_schemas_are_given_up_counted_and_recorded_as_losses(host):
    writer = host.spool.writer()
    for number in range(34):
        writer.collect([[1.0]], ((f"column {number}", "float64"),), count=False)
    host.agent("--once").communicate(timeout=60)
    files = {info.path.rpartition("/")[0].partition("/")[0] for info in host.store.list("modeltap/losses/")}
    assert files == {"modeltap"}
    (info,) = host.store.list("modeltap/losses/")
    assert b"too_many_schemas,2," in host.store.read(info.path)
    assert host.status()["dropped"] == {"too_many_schemas": 2}
    assert sum(1 for _ in host.store.list("modeldata/")) == 32


class FoundHeld(FileLock):
    """The agent's lock, found held by a scoring process just before it is freed."""

    def __init__(self, host: Any) -> None:
        super().__init__(host.directory.agent_lock)
        self.host = host

    def close(self) -> None:
        if self.held and not self.host.spool.accepted:
            self.host.spool.writer().collect_many([1.0]).seal()
        super().close()


class Ending(Agent):
    """An agent with that lock."""

    def __init__(self, host: Any) -> None:
        super().__init__(host.directory, host.settings, idle_seconds=0.0)
        self._lock = FoundHeld(host)


def test_rows_of_a_process_that_found_the_ending_agent_at_work_are_shipped(host):
    agent = Ending(host)
    assert agent.lock()
    assert agent.run()
    assert host.shipped() == host.spool.accepted
    assert host.spool.accepted
    assert not host.agent_runs()
