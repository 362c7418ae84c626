"""Locks that the kernel frees: liveness is an ``flock``, never a pid in a file.

Promises: a lock ends with its process, also at ``kill -9``; a forked child never keeps a parent's
lock alive (its copies are closed at fork); lock files are never removed.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from typing import ClassVar


class FileLock:
    """An exclusive lock on a file, held by this process from ``acquire`` to ``close``."""

    _held: ClassVar[weakref.WeakSet[FileLock]] = weakref.WeakSet()

    def __init__(self, path: str, mode: int = 0o600) -> None:
        self.path = path
        self._mode = mode
        self._handle = -1

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle >= 0

    def acquire(self, *, wait: bool = False) -> bool:
        """Take the lock; without ``wait``, False when somebody else holds it."""
        if self.held:
            return True
        handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, self._mode)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        FileLock._held.add(self)
        return True

    def close(self) -> None:
        """Free the lock; idempotent."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    @classmethod
    def forget_after_fork(cls) -> None:
        """Close the copies that a forked child was born with."""
        for lock in list(cls._held):
            lock.close()


os.register_at_fork(after_in_child=FileLock.forget_after_fork)


def is_locked(path: str) -> bool:
    """Whether any process holds the lock on a file; False for a missing file."""
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
