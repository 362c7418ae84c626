"""The writer: one process start's way into the spool.

Promises: an accepted frame is one unbuffered ``write`` to the process's own segment, so it survives
the death of the process; no lock is ever waited for; a slow or failing disk costs one slow call, then
frames go to a bounded memory ring (counted as volatile) until the housekeeping thread has written
them; when the spool is full new rows are refused, never old ones overwritten.

Numbers: a write of more than 50 ms opens the breaker; the ring holds 16 MiB; a segment is changed at
8 MiB or a sixteenth of the spool's bound, whichever is smaller.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from itertools import count
from zlib import crc32

from modeltap.errors import SpoolError
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.filesystem import Filesystem, LocalFilesystem
from modeltap.spool.frame import PREFIX, Descriptor
from modeltap.spool.segment import MAX_SEGMENT_BYTES, SUFFIX, encode_header

STALL_NANOSECONDS = 50_000_000
RING_BYTES = 16 << 20
MIN_SEGMENT_BYTES = 64 << 10

FULL = "spool_full"
STALLED = "disk_stalled"
UNWRITABLE = "spool_unwritable"
CLOSED = "closed"

_prefix = PREFIX.pack


class Segment:
    """An open segment. Its file is closed, and so its lock freed, when the last user lets go of it."""

    __slots__ = ("__weakref__", "_filesystem", "handle", "magic", "name", "path", "size")

    def __init__(self, filesystem: Filesystem, path: str, handle: int, magic: bytes, size: int) -> None:
        self._filesystem = filesystem
        self.path = path
        self.name = os.path.basename(path)
        self.handle = handle
        self.magic = magic
        self.size = size

    def close(self) -> None:
        """Close the file; idempotent. Only for a segment that no thread can be writing to."""
        handle, self.handle = self.handle, -1
        if handle >= 0:
            self._filesystem.close(handle)

    __del__ = close


class SpoolWriter:
    """Appends frames; owned by one process, safe from threads, signal handlers and ``__del__``."""

    def __init__(
        self,
        directory: SpoolDirectory,
        *,
        max_bytes: int,
        version: str,
        filesystem: Filesystem | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        on_open: Callable[[], object] = int,
    ) -> None:
        self.directory = directory
        self._filesystem = filesystem or LocalFilesystem()
        self._write = self._filesystem.write
        self._clock_ns = clock_ns
        self._max_bytes = max_bytes
        self._segment_bytes = max(MIN_SEGMENT_BYTES, min(MAX_SEGMENT_BYTES, max_bytes // 16))
        self._version = version
        self._on_open = on_open
        self._segments: weakref.WeakSet[Segment] = weakref.WeakSet()
        self._begin()

    def _begin(self) -> None:
        """Start as a new writer: at construction, and in a forked child."""
        self.stem = f"{_host()}-{os.getpid()}-{time.time_ns() // 1000:x}-{os.urandom(4).hex()}"
        self._numbers = count()
        self._opening = threading.Lock()
        self._recovering = threading.Lock()
        self._segment: Segment | None = None
        self._refusal = ""
        self._stalled = False
        self._writing_since = 0
        self._ring: deque[tuple[Descriptor, bytes, int]] = deque()
        self._ring_bytes = 0
        self.volatile_rows = 0
        self.last_error = ""

    def put(self, descriptor: Descriptor, body: bytes, rows: int, *, anyway: bool = False) -> str | None:
        """Append one frame with one write.

        Args:
            descriptor: the constant part of the frame.
            body: the rest of the frame's body.
            rows: how many rows it holds, for the counters.
            anyway: try the disk although it was slow a moment ago.

        Returns:
            None when the frame is accepted, else the reason why it is not.
        """
        segment = self._segment
        started = self._clock_ns()
        since = self._writing_since
        if segment is None or (not anyway and (self._stalled or (since and started - since > STALL_NANOSECONDS))):
            return self._put_aside(descriptor, body, rows)
        head = descriptor.encoded
        length = len(head) + len(body)
        frame = b"".join((_prefix(segment.magic, length, crc32(body, descriptor.crc)), head, body))
        self._writing_since = started
        try:
            written = self._write(segment.handle, frame)
        except OSError as error:
            self._fail(segment, error)
            return self._put_aside(descriptor, body, rows)
        self._writing_since = 0
        if written != length + PREFIX.size:
            self._fail(segment, OSError(f"a write of {len(frame)} bytes took {written}"))
            return self._put_aside(descriptor, body, rows)
        segment.size = size = segment.size + written
        if size > self._segment_bytes:
            self._change_segment(segment)
        if self._clock_ns() - started > STALL_NANOSECONDS:
            self._stalled = True
        return None

    def _put_aside(self, descriptor: Descriptor, body: bytes, rows: int) -> str | None:
        """The way of a frame that cannot be written now."""
        if self._refusal in (CLOSED, FULL):
            return self._refusal
        if self._segment is None and not self._stalled and self._change_segment(None):
            return self.put(descriptor, body, rows)
        if self._refusal == FULL:
            return FULL
        size = len(body) + len(descriptor.encoded)
        if self._ring_bytes + size > RING_BYTES:
            return UNWRITABLE if self.last_error else STALLED
        self._stalled = True
        self._ring.append((descriptor, body, rows))
        self._ring_bytes += size
        self.volatile_rows += rows
        return None

    def _fail(self, segment: Segment, error: OSError) -> None:
        """After an error nothing more goes to that segment: what it holds is read up to the torn frame."""
        self._writing_since = 0
        self._stalled = True
        self.last_error = f"writing to the spool {self.directory.path}: {error}"
        if self._segment is segment:
            self._segment = None

    def _change_segment(self, old: Segment | None) -> bool:
        """Put a new segment in the place of ``old``; False when that is not possible now."""
        if not self._opening.acquire(blocking=False):
            return False  # another thread is at it, or this one further up its stack
        try:
            if self._segment is not old:
                return True
            if self._spool_bytes() + self._segment_bytes > self._max_bytes:
                self._segment, self._refusal = None, FULL
                return False
            self._segment, self._refusal = self._open_segment(), ""
            self._on_open()
            return True
        except (OSError, SpoolError) as error:
            self._stalled = True
            self.last_error = f"opening a segment in the spool {self.directory.path}: {error}"
            return False
        finally:
            self._opening.release()

    def _open_segment(self) -> Segment:
        import fcntl

        path = os.path.join(self.directory.segments, f"{self.stem}.{next(self._numbers)}{SUFFIX}")
        handle = self._filesystem.open(path, exclusive=True, mode=self.directory.file_mode)
        magic = os.urandom(8)
        document = {
            "spool": self.directory.hash,
            "host": _host(),
            "pid": os.getpid(),
            "writer": self.stem,
            "version": self._version,
        }
        header = encode_header(magic, document)
        segment = Segment(self._filesystem, path, handle, magic, len(header))
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._filesystem.write(handle, header) != len(header):
            raise SpoolError("the header was not written whole")
        self._segments.add(segment)
        return segment

    def _spool_bytes(self) -> int:
        return sum(self._filesystem.list(self.directory.segments).values()) + sum(
            self._filesystem.list(self.directory.intents).values()
        )

    def open(self) -> bool:
        """Open the first segment ahead of the first frame; False when the spool cannot take one now."""
        return self._segment is not None or self._change_segment(None)

    def recover(self) -> None:
        """Housekeeping, off the scoring path: write what waits in memory, try again what was refused."""
        if self._refusal == CLOSED or not self._recovering.acquire(blocking=False):
            return
        try:
            self._recover()
        finally:
            self._recovering.release()

    def _recover(self) -> None:
        if self._refusal == FULL or self._segment is None:
            self._refusal = ""
            if not self._change_segment(None) and self._segment is None:
                return
        for _ in range(len(self._ring)):
            descriptor, body, rows = self._ring.popleft()
            self._ring_bytes -= len(body) + len(descriptor.encoded)
            self.volatile_rows -= rows
            self._stalled = False
            self.put(descriptor, body, rows, anyway=True)  # what fails goes to the end of the ring again
            if self._stalled or self._segment is None:
                return  # slow or failing still: the next second tries one more
        if self._stalled and self._segment is not None:
            self._stalled, self._writing_since, self.last_error = False, 0, ""

    def sync(self, name: str) -> None:
        """Bring one of this process's segments to stable disk; one that is gone is shipped."""
        try:
            self._filesystem.sync(os.path.join(self.directory.segments, name))
        except FileNotFoundError:
            return

    def close(self) -> None:
        """Seal the segment; frames that come later are refused. Idempotent."""
        self.recover()
        self._refusal, self._segment = CLOSED, None

    def after_fork_in_child(self) -> None:
        """The child is a writer of its own; the parent's files are closed so that their locks can end."""
        for segment in list(self._segments):
            segment.close()
        self._segments = weakref.WeakSet()
        closed = self._refusal == CLOSED
        self._begin()
        if closed:
            self._refusal = CLOSED


def _host() -> str:
    """The host's name as a part of file names."""
    name = socket.gethostname().split(".")[0]
    return "".join(character if character.isalnum() else "_" for character in name)[:48] or "host"
