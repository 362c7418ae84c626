"""Durable steps on the spool's disk, as effects: a file put in place, a line added to the ledger.

Promises: a new file is visible only whole and synced (write, fsync, rename, fsync of the folder); a line is
on disk before its step ends; after a failed write or sync nothing is added to that ledger file again: it is
written anew from what is known, beside the old one, and takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable

from modeltap.shipping.effects import (
    CloseFile,
    OpenFile,
    RenameFile,
    Steps,
    SyncFile,
    UnlinkFile,
    WriteFile,
)
from modeltap.shipping.ledger import Record, encode_line

TEMPORARY = ".tmp"
_WRITE_BYTES = 256 << 10


class InDoubt(OSError):
    """A file may be in place or not, and its name may survive a power loss or not."""


def put_in_place(folder: str, name: str, parts: Iterable[bytes]) -> Steps[int]:
    """Make a file of some parts, durable before it is visible; gives its size in bytes.

    Raises:
        InDoubt: what stands at that name may be the old file or the new one.
        OSError: the disk refuses; nothing has changed at that name.
    """
    beside = f"{folder}/new{TEMPORARY}"  # one name, so what a crash leaves behind is never more than one file
    yield UnlinkFile(beside)
    handle = yield OpenFile(beside, exclusive=True)
    size = 0
    try:
        for part in parts:
            yield from write_all(handle, part)
            size += len(part)
    except OSError:
        yield CloseFile(handle)
        yield UnlinkFile(beside)
        raise
    yield CloseFile(handle)
    yield SyncFile(beside)
    try:
        yield RenameFile(beside, f"{folder}/{name}")
        yield SyncFile(folder)
    except OSError as error:
        raise InDoubt(error.errno, f"putting {name} in place: {error}") from error
    return size


def write_all(handle: int, data: bytes) -> Steps[None]:
    """Append all bytes, going on after short writes.

    Raises:
        OSError: the disk refuses, or takes nothing.
    """
    rest = memoryview(data)
    while rest:
        written = yield WriteFile(handle, rest)
        if written <= 0:
            raise OSError("the disk took no bytes")
        rest = rest[written:]


class LedgerFile:
    """The ledger's file: open for appending, rewritten when it has grown or failed.

    Attributes:
        size: bytes, as written by this process.
        usable: whether a line can be appended; else ``rewrite`` comes first.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = name
        self._handle = -1
        self.size = 0
        self.usable = False

    def append(self, record: Record) -> Steps[None]:
        """Add a line; it is durable when this ends.

        Raises:
            OSError: the disk refuses; whether the line is there is not known.
        """
        line = encode_line(record)
        try:
            yield from write_all(self._handle, line)
            yield SyncFile(f"{self._folder}/{self._name}")
        except OSError:
            self.usable = False
            raise
        self.size += len(line)

    def rewrite(self, records: Iterable[Record]) -> Steps[None]:
        """Put a ledger of these records in place of the old one, and open it.

        Raises:
            OSError: the disk refuses; the old one stands.
        """
        self.usable = False
        handle, self._handle = self._handle, -1
        if handle >= 0:
            yield CloseFile(handle)
        self.size = yield from put_in_place(self._folder, self._name, _pieces(records))
        self._handle = yield OpenFile(f"{self._folder}/{self._name}")
        self.usable = True


def _pieces(records: Iterable[Record]) -> Iterable[bytes]:
    """The lines in pieces of about 256 KiB."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(encode_line(record))
        size += len(lines[-1])
        if size >= _WRITE_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
    yield b"".join(lines)
