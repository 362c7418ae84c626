"""The seam between modeltap and the disk: every durable step of spool and shipping goes through it.

Eight verbs. None retries; each raises the operating system's ``OSError``. ``modeltap.testing`` has a
double that fails the k-th call, so a test can reach every error path that a real disk has.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Protocol


class Filesystem(Protocol):
    """What modeltap asks of a disk."""

    def open(self, path: str, *, exclusive: bool, mode: int = 0o600) -> int:
        """Open a file for appending, created if missing; with ``exclusive`` it must not exist yet."""

    def write(self, handle: int, data: bytes) -> int:
        """Append bytes in one call; gives the number written, which may be smaller."""

    def sync(self, path: str) -> None:
        """Make a file or directory survive a power loss (fsync)."""

    def close(self, handle: int) -> None:
        """Close a handle."""

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """Read ``length`` bytes from ``start`` (fewer at the end of the file; -1: all)."""

    def list(self, path: str) -> dict[str, int]:
        """Name and size of each plain file in a directory."""

    def rename(self, old: str, new: str) -> None:
        """Put a file in another's place in one step, seen whole or not at all."""

    def unlink(self, path: str) -> None:
        """Remove a file; a missing one is no error."""


class LocalFilesystem:
    """The real disk."""

    write = staticmethod(os.write)
    close = staticmethod(os.close)
    rename = staticmethod(os.replace)

    def open(self, path: str, *, exclusive: bool, mode: int = 0o600) -> int:
        """See ``Filesystem``. Symlinks are not followed."""
        return open_private(path, os.O_WRONLY | os.O_APPEND | (os.O_EXCL if exclusive else 0), mode)

    def sync(self, path: str) -> None:
        """See ``Filesystem``."""
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """See ``Filesystem``."""
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            return file.readall() if length < 0 else _read_up_to(file.fileno(), length)

    def list(self, path: str) -> dict[str, int]:
        """See ``Filesystem``."""
        sizes = {}
        with os.scandir(path) as entries:
            for entry in entries:
                try:
                    if entry.is_file(follow_symlinks=False):
                        sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue  # gone since it was listed
        return sizes

    def unlink(self, path: str) -> None:
        """See ``Filesystem``."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return


def open_private(path: str, flags: int, mode: int) -> int:
    """Open a file, made if missing; symlinks are not followed, children do not inherit the handle.

    Args:
        path: of the file.
        flags: of ``os.open``, beside those that the summary names.
        mode: what this user's file has then, whatever the umask: a shared spool is used by two users.
    """
    handle = os.open(path, flags | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        found = os.fstat(handle)
        if stat.S_IMODE(found.st_mode) != mode and found.st_uid == os.geteuid():
            os.fchmod(handle, mode)
    except OSError:
        os.close(handle)
        raise
    return handle


def write_all(filesystem: Filesystem, handle: int, data: bytes) -> None:
    """Append all bytes, going on after short writes.

    Raises:
        OSError: the disk refuses, or takes nothing.
    """
    while data:
        written = filesystem.write(handle, data)
        if not written:
            raise OSError(errno.EIO, "writing a file: the disk takes nothing and gives no reason")
        data = data[written:]


def replace_file(filesystem: Filesystem, path: str, data: bytes, mode: int = 0o600) -> None:
    """Put a whole file in place, durable before it is visible: write, fsync, rename, fsync directory."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    handle = filesystem.open(temporary, exclusive=True, mode=mode)
    try:
        try:
            write_all(filesystem, handle, data)
        finally:
            filesystem.close(handle)
        filesystem.sync(temporary)
        filesystem.rename(temporary, path)
    except OSError:
        filesystem.unlink(temporary)
        raise
    filesystem.sync(os.path.dirname(path))


def _read_up_to(handle: int, length: int) -> bytes:
    parts = []
    while length > 0 and (part := os.read(handle, length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
