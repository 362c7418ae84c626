"""The writer: one process start's way into the spool.

Promises: an accepted frame is one unbuffered ``write`` to the process's own segment, so it survives
the death of the process; no lock is ever waited for (while one thread opens the segment that all need, the
others look for it as long as a call may be slow); a slow or failing disk costs one slow call, then
frames go to a bounded memory ring (counted as volatile) until the housekeeping thread has written
them, which is told at once that one waits: a false alarm is over in milliseconds; when the spool is
full new rows are refused, never old ones overwritten, and a process that ends then can still say how
many it refused.

Numbers: a write of more than 250 ms opens the breaker (a thread that waits for its turn, or a container
that is paused for having used its share, takes up to 100 ms and is no stalled disk); the ring holds
16 MiB; a segment is changed before it passes 8 MiB or a sixteenth of the spool's bound, whichever is
smaller, but not below 64 KiB; a sixty-fourth of the bound is kept for the last words of processes.
"""

from __future__ import annotations

import os
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
from modeltap.spool.own_segment import OwnSegment, host_name
from modeltap.spool.segment import MAX_SEGMENT_BYTES, SUFFIX

STALL_NANOSECONDS = 250_000_000
RING_BYTES = 16 << 20
MIN_SEGMENT_BYTES = 64 << 10
LAST_WORDS_BYTES = 4 << 10
LAST_WORDS_SHARE = 64
LOOK_SECONDS = 0.0005
CLOSE_SECONDS = 2.0
"""How long the end waits for housekeeping that is writing what waited in memory."""

FULL = "spool_full"
STALLED = "disk_stalled"
UNWRITABLE = "spool_unwritable"
CLOSED = "closed"

_prefix = PREFIX.pack


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
        on_wait: Callable[[], object] = int,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            directory: the spool.
            max_bytes: its bound.
            version: of modeltap, for the headers.
            filesystem: the disk.
            clock_ns: a monotonic clock.
            on_open: called when a segment was opened.
            on_wait: called when a frame has begun to wait in memory, from wherever ``put`` was called; must not
                block.
        """
        self.directory = directory
        self._filesystem = filesystem or LocalFilesystem()
        self._write = self._filesystem.write
        self._clock_ns = clock_ns
        self._max_bytes = max_bytes
        self._segment_bytes = max(MIN_SEGMENT_BYTES, min(MAX_SEGMENT_BYTES, max_bytes // 16))
        self._room_bytes = self._segment_bytes - PREFIX.size
        self._version = version
        self._on_open = on_open
        self._on_wait = on_wait
        self._segments: weakref.WeakSet[OwnSegment] = weakref.WeakSet()
        self._begin()

    def _begin(self) -> None:
        """Start as a new writer: at construction, and in a forked child."""
        self.stem = f"{host_name()}-{os.getpid()}-{time.time_ns() // 1000:x}-{os.urandom(4).hex()}"
        self._numbers = count()
        self._opening = threading.Lock()
        self._opener = 0
        self._recovering = threading.Lock()
        self._segment: OwnSegment | None = None
        self._refusal = ""
        self._ending = False
        self._stalled = False
        self._troubles = 0
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
            return self._put_aside(descriptor, body, rows, anyway=anyway)
        head = descriptor.encoded
        length = len(head) + len(body)
        if segment.size + length > self._room_bytes:
            segment = self._make_room(segment, length)
            if segment is None:
                return self._put_aside(descriptor, body, rows, anyway=anyway)
        frame = b"".join((_prefix(segment.magic, length, crc32(body, descriptor.crc)), head, body))
        self._writing_since = started
        try:
            written = self._write(segment.handle, frame)
        except OSError as error:
            self._fail(segment, error)
            return self._put_aside(descriptor, body, rows, anyway=anyway)
        self._writing_since = 0
        if written != length + PREFIX.size:
            self._fail(segment, OSError(f"a write of {len(frame)} bytes took {written}"))
            return self._put_aside(descriptor, body, rows, anyway=anyway)
        segment.size += written
        if self._clock_ns() - started > STALL_NANOSECONDS:
            self._stalled, self._troubles = True, self._troubles + 1
        return None

    def _put_aside(self, descriptor: Descriptor, body: bytes, rows: int, *, anyway: bool) -> str | None:
        """The way of a frame that cannot be written now."""
        if anyway:
            self._keep(descriptor, body, rows)  # it was accepted before: it waits again
            return None
        if self._refusal in (CLOSED, FULL):
            return self._refusal
        if self._segment is None and not self._stalled and (self._change_segment(None) or self._await_segment()):
            return self.put(descriptor, body, rows)
        if self._refusal == FULL:
            return FULL
        size = len(body) + len(descriptor.encoded)
        if self._ring_bytes + size > RING_BYTES:
            return UNWRITABLE if self.last_error else STALLED
        self._stalled, first = True, not self._ring
        self._keep(descriptor, body, rows)
        if first:
            self._on_wait()
        return None

    def _keep(self, descriptor: Descriptor, body: bytes, rows: int) -> None:
        """Let a frame wait in memory."""
        size = len(body) + len(descriptor.encoded)  # a call within += would let another thread in between
        self._ring.append((descriptor, body, rows))
        self._ring_bytes += size
        self.volatile_rows += rows

    def _fail(self, segment: OwnSegment, error: OSError) -> None:
        """After an error nothing more goes to that segment: what it holds is read up to the torn frame."""
        self._writing_since = 0
        self._stalled, self._troubles = True, self._troubles + 1
        self.last_error = f"writing to the spool {self.directory.path}: {error}"
        if self._segment is segment:
            self._segment = None

    def _make_room(self, segment: OwnSegment, length: int) -> OwnSegment | None:
        """The segment for a frame that would pass the bound: a new one, unless this one is new."""
        if segment.size == segment.header_bytes:
            return segment
        self._change_segment(segment, length + PREFIX.size)
        return self._segment

    def _change_segment(self, old: OwnSegment | None, needed_bytes: int = 0) -> bool:
        """Put a new segment in the place of ``old``; False when that is not possible now."""
        if not self._opening.acquire(blocking=False):
            return False  # another thread is at it, or this one further up its stack
        self._opener = threading.get_ident()
        try:
            if self._refusal == CLOSED:
                return False
            if self._segment is not old:
                return True
            if not self._has_room(needed_bytes):
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
            self._opener = 0
            self._opening.release()

    def _await_segment(self) -> bool:
        """Look for the segment that another thread is opening; False when that takes as long as a stall."""
        limit = self._clock_ns() + STALL_NANOSECONDS
        while self._opening.locked() and self._opener != threading.get_ident() and self._clock_ns() < limit:
            time.sleep(LOOK_SECONDS)
        return self._segment is not None

    def _open_segment(self) -> OwnSegment:
        path = os.path.join(self.directory.segments, f"{self.stem}.{next(self._numbers)}{SUFFIX}")
        segment = OwnSegment(self._filesystem, path, self.directory.file_mode)
        self._segments.add(segment)
        segment.begin({"spool": self.directory.hash, "writer": self.stem, "version": self._version})
        return segment

    def _has_room(self, needed_bytes: int) -> bool:
        """Whether the spool can take a segment that may grow to its bound, or a process's last words."""
        folders = (self.directory.segments, self.directory.intents)
        used = sum(size for folder in folders for size in self._filesystem.list(folder).values())
        if self._ending:
            return used + max(LAST_WORDS_BYTES, needed_bytes) <= self._max_bytes
        return used + max(self._segment_bytes, needed_bytes) <= self._max_bytes - self._max_bytes // LAST_WORDS_SHARE

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
        if self._segment is None and not self._change_segment(None):
            return
        for _ in range(len(self._ring)):
            if not self._rescue():
                return  # slow or failing still: the next second tries one more
        self._stalled, self.last_error = False, ""

    def _rescue(self) -> bool:
        """Write the frame that has waited longest; False when the disk is slow, failing or full still."""
        descriptor, body, rows = self._ring.popleft()
        size = len(body) + len(descriptor.encoded)
        self._ring_bytes -= size
        self.volatile_rows -= rows
        troubles = self._troubles
        self.put(descriptor, body, rows, anyway=True)  # what fails goes to the end of the ring again
        return self._troubles == troubles and self._segment is not None

    def begin_end(self) -> None:
        """From now on what is written may take the room that is kept for last words."""
        self._ending = True

    def sync(self, name: str) -> None:
        """Bring one of this process's segments to stable disk; one that is gone is shipped."""
        try:
            self._filesystem.sync(os.path.join(self.directory.segments, name))
        except FileNotFoundError:
            return

    def close(self) -> None:
        """Seal the segment; frames that come later are refused. Idempotent."""
        alone = self._recovering.acquire(timeout=CLOSE_SECONDS)
        try:
            if alone and self._refusal != CLOSED:
                self._recover()
            self._refusal, self._segment = CLOSED, None
        finally:
            if alone:
                self._recovering.release()

    def after_fork_in_child(self) -> None:
        """The child is a writer of its own; the parent's files are closed so that their locks can end."""
        for segment in list(self._segments):
            segment.close()
        self._segments = weakref.WeakSet()
        closed = self._refusal == CLOSED
        self._begin()
        if closed:
            self._refusal = CLOSED
