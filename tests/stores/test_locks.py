"""Locks of data files: paused holders, forked children, dead processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modeltap.errors import StoreUnavailable
from modeltap.stores.local import LocalStore
from modeltap.stores.locks import locked
from support.pythons import ROOT, python

PATH = "modeldata/day/data.csv"
HOLDER = """
import sys, os
from modeltap.stores.locks import locked
handle = os.open(sys.argv[1], os.O_RDWR)
with locked(handle, "it"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path):
    store = LocalStore(str(tmp_path), lock_wait_seconds=0.2)
    store.create(PATH, b"a\r\n", {})
    return store


@pytest.fixture
def holder(store, tmp_path):
    """Another process that holds the lock of the data file."""
    record = tmp_path / "modeltap" / "positions" / f"{PATH}.pos"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(record)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_paused_holder_is_not_waited_for_for_ever_and_readers_do_not_wait_at_all(store, holder):
    os.kill(holder.pid, signal.SIGSTOP)

    with pytest.raises(
        StoreUnavailable, match=r"another process has held it for 0.2 s; modeltap tries again by itself"
    ):
        store.append(PATH, b"1\r\n", position=3, batch_id="a")
    with pytest.raises(StoreUnavailable):
        store.holds(PATH, position=3, length=3, sha256="", batch_id="a")
    assert store.read(PATH) == b"a\r\n"

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert store.append(PATH, b"1\r\n", position=3, batch_id="a").size == 6


def test_a_writer_waits_for_one_that_is_about_to_end(tmp_path, holder):
    patient = LocalStore(str(tmp_path), lock_wait_seconds=60)
    sizes = []
    waiting = threading.Thread(
        target=lambda: sizes.append(patient.append(PATH, b"1\r\n", position=3, batch_id="a").size)
    )
    waiting.start()
    holder.stdin.write(b"\n")
    holder.stdin.flush()
    waiting.join(60)

    assert sizes == [6]


def test_a_child_that_was_forked_while_a_lock_was_held_does_not_keep_it(tmp_path):
    """The shipping thread dies with its process in the middle of a step; a forked worker lives on."""
    script = """
import fcntl, os, sys
from modeltap.stores.locks import locked
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
with locked(handle, "it"):
    reading, writing = os.pipe()
    ready, said = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        os.write(said, b"x")
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    if os.fork() == 0:
        os.read(ready, 1)
        other = os.open(sys.argv[1], os.O_RDWR)
        parent = os.getppid()
        os.kill(parent, 9)
        while os.getppid() == parent:
            pass
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("free", flush=True)
        os._exit(0)
    os.wait()
"""
    ended = python(script, str(tmp_path / "lock"))

    assert ended.code == -signal.SIGKILL
    assert ended.out == "free\n"


def test_a_lock_is_free_after_its_step_even_if_a_child_has_its_handle(tmp_path):
    """A server in C forks its workers without telling Python."""
    script = """
import ctypes, fcntl, os, sys
from modeltap.stores.locks import locked
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
reading, writing = os.pipe()
with locked(handle, "it"):
    if ctypes.PyDLL(None).fork() == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
other = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("free")
"""
    ended = python(script, str(tmp_path / "lock"))

    assert (ended.code, ended.out) == (0, "free\n"), ended.err


def test_the_threads_of_one_process_keep_each_other_out(tmp_path):
    path, inside, seen = Path(tmp_path / "lock"), [], []
    path.touch()

    def work(number):
        for _ in range(50):
            handle = os.open(path, os.O_RDWR)
            with locked(handle, "it", 60):
                inside.append(number)
                seen.append(len(inside))
                inside.pop()
            os.close(handle)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert seen == [1] * 200
