"""What several processes share on one host: spools, users, flushes, and the agent that ends when nobody is left."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from support.hosts import END_SECONDS, Host, until
from support.users import NOBODY, open_folder

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

COLLECT = """
import sys
import modeltap
collector = modeltap.ModelDataCollector("model", "inputs", feature_names=["name", "number"])
for number in range(200):
    collector.collect([[sys.argv[1], number]])
"""


def names(host: Host) -> list[str]:
    return sorted({row["name"] for row in host.rows()})


# ---- two stores


def test_two_services_of_one_host_with_two_stores_never_mix(tmp_path):
    one, other = Host(tmp_path / "one"), Host(tmp_path / "other", MODELTAP_SPOOL=str(tmp_path / "one" / "spool"))
    other.spool = one.spool
    try:
        services = [(one, one.start(["-c", COLLECT, "one"])), (other, other.start(["-c", COLLECT, "other"]))]
        for host, service in services:
            _, said = service.communicate(timeout=60)
            assert service.returncode == 0, said
            until(lambda host=host: host.arrived() == 200, END_SECONDS, lambda: "not all rows have arrived")
        assert (names(one), names(other)) == (["one"], ["other"])
        assert len(one.places) == 2
        assert len(one.agents()) == 2
    finally:
        one.close()


# ---- two users

AS_USER = """
import os, sys
import modeltap.capture.collector, modeltap.capture.control
import modeltap.agent.__main__, modeltap.agent.process, modeltap.agent.control, modeltap.agent.metrics
import modeltap.agent.log, modeltap.stores.local, grp
uid, gid = int(sys.argv[1]), int(sys.argv[2])
if os.getuid() == 0:
    os.setgroups([int(group) for group in sys.argv[3].split(",") if group])
    os.setgid(gid)
    os.setuid(uid)
os.umask(0o022)
sys.argv[1:] = sys.argv[4:]
"""
SCORE_AS_USER = AS_USER + COLLECT
SHIP_AS_USER = AS_USER + "sys.exit(modeltap.agent.__main__.main(sys.argv[1:]))"
SHARED = {"MODELTAP_SHIPPER": "none"}


@pytest.fixture
def shared():
    """A host that users of a group share; gives it with the scoring user, the shipping user and the group."""
    root = os.getuid() == 0
    scorer, shipper, group = (NOBODY, 1, 4_711) if root else (os.getuid(), os.getuid(), os.getgid())
    with open_folder() as folder:
        host = Host(folder, **SHARED, MODELTAP_SPOOL_GROUP=str(group), MODELTAP_SPOOL=str(folder / "shared" / "spool"))
        host.spool = folder / "shared" / "spool"
        for name, owner in (("shared", scorer), ("store", shipper)):
            (folder / name).mkdir()
            os.chown(folder / name, owner, group)
            (folder / name).chmod(0o750)
        yield host, scorer, shipper, group


def test_an_agent_of_another_user_ships_a_spool_that_is_shared_by_group(shared):
    host, scorer, shipper, group = shared
    for round_ in ("first", "second"):
        host.run(["-c", SCORE_AS_USER, scorer, scorer, group, round_])
        host.run(["-c", SHIP_AS_USER, shipper, shipper, group, "--once", "--uid", scorer])
    assert names(host) == ["first", "second"]
    assert len(host.rows()) == host.status()["shipped_rows"] == 400
    assert not any(host.spool.glob("*/segments/*"))
    (place,) = host.places
    made = [host.spool, place, *place.rglob("*")]
    assert {path.stat().st_gid for path in made} == {group}
    modes = {(path.is_dir(), path.stat().st_mode & 0o7777) for path in made if path.name != "agent.log"}
    assert modes == {(True, 0o2770), (False, 0o660)}


def test_the_scoring_user_waits_for_the_other_users_agent(shared):
    host, scorer, shipper, group = shared
    host.run(["-c", SCORE_AS_USER, scorer, scorer, group, "first"])  # the other user may not make a spool there
    agent = host.start(["-c", SHIP_AS_USER, shipper, shipper, group, "--uid", scorer], MODELTAP_FLUSH_SECONDS="60")
    try:
        flush = SCORE_AS_USER + "print(modeltap.flush(60), modeltap.stats()['shipped'])"
        assert host.run(["-c", flush, scorer, scorer, group, "waiting"]) == "True 200\n"
        assert host.arrived() >= 200
    finally:
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=60)
    assert agent.returncode == 0, said
    assert names(host) == ["first", "waiting"]


def test_a_user_outside_the_group_is_refused(shared):
    host, scorer, _, group = shared
    host.run(["-c", SCORE_AS_USER, scorer, scorer, group, "private"])
    stranger = ["-c", SHIP_AS_USER, 2, 2, "", "--once", "--uid", scorer]
    if os.getuid() == 0:
        host.run(stranger, code=1)
        assert host.rows() == []
    else:
        assert host.places[0].stat().st_mode & 0o007 == 0


# ---- flush

FLUSH = (
    COLLECT
    + """
import glob, os
flushed = modeltap.flush(60)
files = glob.glob(os.environ["MODELTAP_STORE"] + "/modeldata/**/data.csv", recursive=True)
print(flushed, sum(open(path, encoding="utf-8").read().count(f",{sys.argv[1]},") for path in files))
"""
)


@pytest.mark.parametrize("shipper", ["process", "thread"])
def test_when_flush_returns_true_the_rows_are_there_whoever_else_flushes(host, shipper):
    slow = {"MODELTAP_FLUSH_SECONDS": "60", "MODELTAP_SHIPPER": shipper}
    services = [host.start(["-c", FLUSH, f"service-{number}"], **slow) for number in range(4)]
    said = [service.communicate(timeout=120) for service in services]
    assert [out for out, _ in said] == ["True 200\n"] * 4, said


# ---- the agent's end


def test_the_agent_ends_by_itself_also_beside_a_service_that_nobody_has_waited_for(host):
    service = host.start(["-c", COLLECT + "sys.stdin.read()", "killed"], stdin=-1)
    try:
        until(lambda: host.arrived() == 200, END_SECONDS, lambda: f"{host.arrived()} rows have arrived")
        until(lambda: host.counters()["accepted"] == 200, END_SECONDS, lambda: "the service tells nothing")
        os.kill(service.pid, signal.SIGKILL)  # and it is a zombie until the end: its parent does not look
        host.wait_until_agents_end()
    finally:
        service.communicate(timeout=60)


def test_the_agent_lives_as_long_as_the_service(host):
    service = host.start(["-c", COLLECT + "sys.stdin.read()", "living"], stdin=-1)
    try:
        until(lambda: host.arrived() == 200, END_SECONDS, lambda: f"{host.arrived()} rows have arrived")
        (agent,) = host.agents()
        assert _children(service.pid) == [], "the service has a child, or a zombie"
        assert os.getsid(agent) != os.getsid(service.pid)
    finally:
        service.communicate(timeout=60)
    host.wait_until_agents_end()


def test_an_agent_whose_spool_was_removed_ends_and_the_next_one_ships_each_row_once(host):
    service = host.start(["-c", COLLECT + "sys.stdin.read()", "before"], stdin=-1)
    until(lambda: host.arrived() == 200, END_SECONDS, lambda: f"{host.arrived()} rows have arrived")
    (first,) = host.agents()
    service.kill()
    service.communicate()
    shutil.rmtree(host.spool)
    host.run(["-c", COLLECT, "after"])
    until(lambda: first not in host.agents(), END_SECONDS, lambda: "the first agent is still there")
    host.drain()
    assert sorted(row["name"] for row in host.rows()) == ["after"] * 200 + ["before"] * 200
    host.wait_until_agents_end()


def _children(process: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:
            continue  # it has ended meanwhile
        if fields and int(fields[1]) == process:
            found.append(int(entry.name))
    return found
