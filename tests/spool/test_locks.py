"""Locks: the kernel frees them, and no fork keeps one alive."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modeltap.spool.locks import FileLock, is_locked
from support.pythons import ROOT
from support.spools import fork, in_forked_child, leave

HOLDER = """
import sys
from modeltap.spool.locks import FileLock
lock = FileLock(sys.argv[1])
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    """A process that holds the lock until its input ends."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"True\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait(30)


def test_a_lock_is_held_by_one_and_free_after_close(tmp_path):
    path = str(tmp_path / "lock")
    one, other = FileLock(path), FileLock(path)

    assert one.acquire()
    assert one.acquire()
    assert one.held
    assert not other.acquire()
    assert not other.held
    one.close()
    one.close()
    assert not one.held
    assert other.acquire()
    other.close()


def test_asking_does_not_take_the_lock(tmp_path):
    path = str(tmp_path / "lock")
    lock = FileLock(path)

    assert not is_locked(path)
    assert not Path(path).exists()
    assert lock.acquire()
    assert is_locked(path)
    assert is_locked(path)
    lock.close()
    assert not is_locked(path)
    assert Path(path).exists()


def test_a_lock_ends_with_its_process_at_kill_9(tmp_path):
    process = holder(tmp_path / "lock")
    assert is_locked(str(tmp_path / "lock"))
    assert not FileLock(str(tmp_path / "lock")).acquire()

    process.send_signal(signal.SIGKILL)
    end(process)

    assert not is_locked(str(tmp_path / "lock"))
    lock = FileLock(str(tmp_path / "lock"))
    assert lock.acquire()
    lock.close()


def test_whoever_waits_gets_the_lock_when_its_holder_ends(tmp_path):
    process = holder(tmp_path / "lock")
    lock = FileLock(str(tmp_path / "lock"))
    waiting = threading.Thread(target=lock.acquire, kwargs={"wait": True})
    waiting.start()
    assert not lock.held
    end(process)
    waiting.join(30)

    assert lock.held
    lock.close()


def test_a_forked_child_does_not_hold_its_parents_lock_and_does_not_keep_it_alive(tmp_path):
    path = str(tmp_path / "lock")
    lock = FileLock(path)
    assert lock.acquire()
    ended, end_it = os.pipe()
    begun, begin = os.pipe()
    child = fork()
    if child == 0:

        def live() -> None:
            os.close(end_it)
            assert not lock.held
            assert is_locked(path)
            os.write(begin, b"!")
            os.read(ended, 1)  # until the parent closes its end

        leave(live)
    os.close(begin)
    lived = os.read(begun, 1)
    lock.close()
    freed_while_the_child_lives = not is_locked(path)
    for handle in (end_it, ended, begun):
        os.close(handle)
    _, status = os.waitpid(child, 0)

    assert (lived, status) == (b"!", 0)
    assert freed_while_the_child_lives


def test_a_child_that_is_born_while_locks_come_and_go_keeps_none_of_them_alive(tmp_path):
    path = str(tmp_path / "lock")
    going = threading.Event()
    counted = [0]

    def come_and_go() -> None:
        while not going.is_set():
            lock = FileLock(path)
            lock.acquire()
            is_locked(path)
            lock.close()
            is_locked(path)
            counted[0] += 1

    thread = threading.Thread(target=come_and_go)
    thread.start()

    def holds_nothing() -> None:
        assert path not in {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}

    try:
        results = [in_forked_child(holds_nothing) for _ in range(100)]
    finally:
        going.set()
        thread.join(30)
    assert results == [0] * 100
    assert counted[0] > 10
    assert not is_locked(path)


def test_a_fork_in_a_child_of_a_fork_can_lock_again(tmp_path):
    path = str(tmp_path / "lock")

    def lock_and_fork_again() -> None:
        lock = FileLock(path)
        assert lock.acquire()
        assert in_forked_child(lambda: _refused(path)) == 0
        lock.close()
        assert in_forked_child(lambda: _taken(path)) == 0

    assert in_forked_child(lock_and_fork_again) == 0


def _refused(path: str) -> None:
    assert not FileLock(path).acquire()


def _taken(path: str) -> None:
    assert FileLock(path).acquire()


def test_a_signal_handler_may_fork_and_lock(tmp_path):
    results: list[int] = []
    before = signal.signal(
        signal.SIGUSR1, lambda *_: results.append(in_forked_child(lambda: _taken(str(tmp_path / "a"))))
    )
    try:
        for _ in range(10):
            os.kill(os.getpid(), signal.SIGUSR1)
            lock = FileLock(str(tmp_path / "b"))
            assert lock.acquire()
            lock.close()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert results == [0] * 10


def test_a_lock_file_has_its_mode_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        lock = FileLock(str(tmp_path / "lock"), 0o660)
        assert lock.acquire()
        lock.close()
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o660


def test_a_symlink_in_the_place_of_a_lock_is_refused(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        FileLock(str(tmp_path / "lock")).acquire()

    assert not (tmp_path / "elsewhere").exists()
