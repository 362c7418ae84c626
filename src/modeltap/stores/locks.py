"""The lock of one data file or folder, held for one step of a store and freed by the kernel at any death.

Promises: nobody waits longer than it says (a holder that was paused must not stop the others for ever);
a process forked in the middle of a step does not keep the lock alive. Where the system has no ``flock``
(Windows) a store can be read but not written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from modeltap.errors import StoreDenied, StoreUnavailable

WAIT_SECONDS = 10.0
"""Longer than a step of a healthy disk by far, shorter than people wait for an answer."""
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05

_held: set[int] = set()


@contextmanager
def locked(handle: int, thing: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the exclusive lock of an open file or folder during a block.

    Args:
        handle: of the file; stays open, and is the caller's to close.
        thing: what is locked, for the message of an error.
        wait_seconds: how long to wait for another holder.

    Raises:
        StoreUnavailable: another process holds it still.
        StoreDenied: this system has no such locks.
    """
    locks = file_locks(thing)
    _held.add(handle)  # before the lock is taken, so that no fork falls between
    try:
        _acquire(locks, handle, thing, wait_seconds)
        try:
            yield
        finally:
            # Closing alone would not free it while a forked child has the handle too.
            locks.flock(handle, locks.LOCK_UN)
    finally:
        _held.discard(handle)


def file_locks(thing: str) -> ModuleType:
    """The system's file locks (``fcntl``).

    Args:
        thing: what is to be locked, for the message of an error.

    Raises:
        StoreDenied: this system has none.
    """
    try:
        import fcntl
    except ImportError:
        raise StoreDenied(
            f"locking {thing}: this system has no file locks, so a folder can be read but not written; "
            "write from Linux or macOS"
        ) from None
    return fcntl


def _acquire(locks: ModuleType, handle: int, thing: str, wait_seconds: float) -> None:
    deadline, pause = time.monotonic() + wait_seconds, _FIRST_PAUSE_SECONDS
    while True:
        try:
            locks.flock(handle, locks.LOCK_EX | locks.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreUnavailable(
                    f"locking {thing}: another process has held it for {wait_seconds:g} s; modeltap tries again by "
                    "itself; if it lasts, look for a paused modeltap process"
                ) from None
        else:
            return
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _forget_after_fork() -> None:
    for handle in tuple(_held):
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
