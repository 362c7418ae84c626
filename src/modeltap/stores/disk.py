"""The seam between the local store and its disk: every step that changes the disk is one of eight verbs.

None retries; each raises the operating system's ``OSError``. ``modeltap.testing.FaultyDisk`` stops or fails
before the k-th of them, so a test can end a writer between any two steps. Reading needs no seam: it
changes nothing, and stands below as plain functions.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import Protocol

_PRIVATE = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# A pipe in the place of a file must not stop the one who opens it.
_READ = os.O_RDONLY | _PRIVATE | getattr(os, "O_NONBLOCK", 0)


class Disk(Protocol):
    """What the local store does to a disk."""

    def make_folder(self, path: str, mode: int) -> bool:
        """Make one folder with exactly that mode; False when something stands there already."""

    def make_file(self, path: str, mode: int, *, exclusive: bool) -> int:
        """Open a file for reading and writing, made with exactly that mode if missing.

        With ``exclusive`` it must be missing. Symbolic links are not followed. Gives a handle.
        """

    def write(self, handle: int, data: bytes | memoryview, position: int) -> int:
        """Write at a position in one call; gives the number of bytes written, which may be smaller."""

    def truncate(self, handle: int, length: int) -> None:
        """Cut a file to a length."""

    def sync(self, handle: int) -> None:
        """Make what is written survive a power loss."""

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder survive a power loss."""

    def stamp(self, handle: int, mtime_ns: int) -> None:
        """Set the instant of the last change, nanoseconds since 1970 UTC."""

    def rename(self, old: str, new: str) -> None:
        """Put a file in another's place in one step, seen whole or not at all."""


class LocalDisk:
    """The real disk. See ``Disk`` for each verb."""

    rename = staticmethod(os.replace)

    def make_folder(self, path: str, mode: int) -> bool:
        """See ``Disk``."""
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            return False
        os.chmod(path, mode)  # the mode must not depend on the host's umask
        return True

    def make_file(self, path: str, mode: int, *, exclusive: bool) -> int:
        """See ``Disk``."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _PRIVATE, mode)
        except FileExistsError:
            if exclusive:
                raise
            return os.open(path, os.O_RDWR | os.O_CREAT | _PRIVATE, mode)
        os.fchmod(handle, mode)  # as above
        return handle

    def write(self, handle: int, data: bytes | memoryview, position: int) -> int:
        """See ``Disk``."""
        return os.pwrite(handle, data, position)

    def truncate(self, handle: int, length: int) -> None:
        """See ``Disk``."""
        os.ftruncate(handle, length)

    def sync(self, handle: int) -> None:
        """See ``Disk``."""
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # macOS's fsync leaves data in the drive's cache
        else:
            os.fsync(handle)

    def sync_folder(self, path: str) -> None:
        """See ``Disk``."""
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def stamp(self, handle: int, mtime_ns: int) -> None:
        """See ``Disk``."""
        os.utime(handle, ns=(mtime_ns, mtime_ns))


def write_all(disk: Disk, handle: int, data: bytes, position: int) -> None:
    """Write all bytes at a position, going on after short writes."""
    view = memoryview(data)
    while view:
        written = disk.write(handle, view, position)
        if written <= 0:
            raise OSError("the disk took no bytes")
        view, position = view[written:], position + written


def open_to_read(path: str) -> int | None:
    """Open a plain file; None when there is none."""
    try:
        handle = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def open_to_write(path: str) -> int | None:
    """Open a plain file that is there, for reading and writing; None when there is none."""
    try:
        return os.open(path, os.O_RDWR | _PRIVATE)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_at(handle: int, length: int, position: int) -> bytes:
    """Read ``length`` bytes from a position, fewer at the end of the file."""
    parts = []
    while length > 0 and (part := _pread(handle, length, position)):
        parts.append(part)
        length, position = length - len(part), position + len(part)
    return b"".join(parts)


def _pread(handle: int, length: int, position: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, length, position)
    os.lseek(handle, position, os.SEEK_SET)  # Windows; a handle belongs to one thread
    return os.read(handle, length)
