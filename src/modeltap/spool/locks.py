"""Locks that the kernel frees: liveness is an ``flock``, never a pid in a file.

Promises: a lock ends with its process, also at ``kill -9``; a forked child never keeps a parent's
lock alive (its copies are closed at fork); lock files are never removed.

A child is born with a copy of every handle, and a copy keeps a lock alive. So no handle is opened or
closed while the process forks: whoever forks waits for it, for 1 s at most.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from contextlib import AbstractContextManager
from typing import ClassVar

from modeltap.spool.filesystem import open_private

FORK_WAIT_SECONDS = 1.0
"""A handle is opened in microseconds; a disk that hangs must not keep the host from forking."""

_handles = threading.RLock()  # a signal handler may fork while this thread holds it
_this_thread = threading.local()


class FileLock:
    """An exclusive lock on a file, held by this process from ``acquire`` to ``close``."""

    _open: ClassVar[weakref.WeakSet[FileLock]] = weakref.WeakSet()

    def __init__(self, path: str, mode: int = 0o600) -> None:
        self.path = path
        self._mode = mode
        self._handle = -1
        self._locked = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._locked

    @property
    def in_place(self) -> bool:
        """Whether the file that is locked still stands at its path: a folder that is removed takes its locks along."""
        try:
            locked, standing = os.fstat(self._handle), os.stat(self.path)
        except OSError:
            return False
        return self._locked and os.path.samestat(locked, standing)

    def acquire(self, *, wait: bool = False) -> bool:
        """Take the lock; without ``wait``, False when somebody else holds it."""
        if self.held:
            return True
        with _handles:
            self._handle = open_private(self.path, os.O_RDWR, self._mode)
            FileLock._open.add(self)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self.close()
            return False
        except BaseException:
            self.close()
            raise
        self._locked = True
        return True

    def close(self) -> None:
        """Free the lock; idempotent."""
        with _handles:
            handle, self._handle, self._locked = self._handle, -1, False
            if handle >= 0:
                os.close(handle)

    @classmethod
    def forget_after_fork(cls) -> None:
        """Close the copies that a forked child was born with."""
        for lock in list(cls._open):
            lock.close()


def is_locked(path: str) -> bool:
    """Whether any process holds the lock on a file; False for a missing file."""
    with _handles:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # A shared try does not keep a second asker out, only a holder keeps both out.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


def no_fork() -> AbstractContextManager[object]:
    """A block in which no other thread of this process forks, unless it lasts longer than 1 s."""
    return _handles


def _before_fork() -> None:
    _this_thread.waited = _handles.acquire(timeout=FORK_WAIT_SECONDS)


def _after_fork_in_parent() -> None:
    if _this_thread.waited:
        _handles.release()


def _after_fork_in_child() -> None:
    global _handles
    _handles = threading.RLock()
    FileLock.forget_after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
