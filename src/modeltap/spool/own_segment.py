"""The segment that this process appends to: its file, its lock, its header.

Promises: the file is locked from before its header is written until the last user lets go of the object;
where the header cannot be written, no file stays behind.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from modeltap.errors import SpoolError
from modeltap.spool.filesystem import Filesystem
from modeltap.spool.segment import encode_header


class OwnSegment:
    """An open segment. Its file is closed, and so its lock freed, when the last user lets go of it."""

    __slots__ = ("__weakref__", "_filesystem", "_path", "handle", "header_bytes", "magic", "size")

    def __init__(self, filesystem: Filesystem, path: str, mode: int) -> None:
        """Make the file.

        Raises:
            OSError: the disk refuses.
        """
        self.handle = -1
        self._filesystem = filesystem
        self._path = path
        self.magic = os.urandom(8)
        self.size = self.header_bytes = 0
        self.handle = filesystem.open(path, exclusive=True, mode=mode)

    def begin(self, document: Mapping[str, str]) -> None:
        """Lock the file and write its header, which names host and process beside what is given.

        Raises:
            OSError, SpoolError: the disk refuses; the file is removed.
        """
        import fcntl

        header = encode_header(self.magic, {**document, "host": host_name(), "pid": os.getpid()})
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._filesystem.write(self.handle, header) != len(header):
                raise SpoolError("the header was not written whole")
        except (OSError, SpoolError):
            self._filesystem.unlink(self._path)  # it holds no frame, and a full disk must not gather empty files
            raise
        self.size = self.header_bytes = len(header)

    def close(self) -> None:
        """Close the file; idempotent. Only for a segment that no thread can be writing to."""
        handle, self.handle = self.handle, -1
        if handle >= 0:
            try:
                self._filesystem.close(handle)
            except OSError:  # closed all the same; an error in a destructor would be printed
                return

    __del__ = close


def host_name() -> str:
    """The host's name as a part of file names."""
    name = socket.gethostname().split(".")[0]
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:48] or "host"
