"""What the shipper remembers between two effects; all of it can be lost at any moment.

The durable truth is the ledger, the segments and the store; this is built again from them at each start.

Words: a **group** is the frames of one key, day and frame schema (``modeltap.shipping.batch``). A **lane** is
a queue of frames that go the same way: of a data file, of a day that could not be listed yet, or of a fate
(refused, too many schemas). A **stream** is one key and day with its files.

Invariant 1: for each segment and group, ``taken`` is the position below which every frame is done with or in
an open batch; the frames of that group in its lane begin there, in order, without a gap.
Invariant 2: a lane whose frames of a segment were put out of memory is in that segment's ``skipped`` until the
segment is read again from there; meanwhile no frame of that segment enters the lane.
Invariant 3: what waits in memory is bounded: ``Memory.used`` counts the chunks that any waiting frame stands
in, and 600 bytes for each frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from math import inf
from operator import attrgetter
from typing import NamedTuple

from modeltap.core.key import CollectionKey
from modeltap.core.schema import Schema
from modeltap.shipping.batch import Batch
from modeltap.shipping.decision import Step
from modeltap.shipping.routing import Shape
from modeltap.spool.frame import Frame
from modeltap.spool.segment import SUFFIX, writer_stem

FRAME_BYTES = 600
"""What a decoded frame takes in memory beside its bytes."""


class Memory:
    """How much waits in memory, in bytes."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class Chunk:
    """Bytes that were read at once; they stay in memory as long as one of their frames waits."""

    __slots__ = ("_memory", "frames", "seen", "segment", "size")

    def __init__(self, memory: Memory, segment: Segment, size: int, seen: float) -> None:
        self._memory = memory
        self.segment = segment
        self.size = size
        self.seen = seen
        self.frames = 0

    def hold(self, frames: int) -> None:
        """More frames of it wait."""
        if not self.frames:
            self._memory.used += self.size
        self.frames += frames
        self._memory.used += FRAME_BYTES * frames

    def release(self, frames: int) -> None:
        """So many wait no more."""
        self.frames -= frames
        self._memory.used -= FRAME_BYTES * frames
        if not self.frames:
            self._memory.used -= self.size


class Entry(NamedTuple):
    """A frame that waits: ``[start, end)`` of its segment."""

    start: int
    end: int
    frame: Frame
    group: Group
    chunk: Chunk

    @property
    def name(self) -> str:
        """Of its segment."""
        return self.chunk.segment.name


@dataclass(eq=False)
class Retry:
    """When something that failed is tried again."""

    attempts: int = 0
    until: float = 0.0
    firm: bool = False


@dataclass(eq=False)
class Segment:
    """One segment, as far as it was read.

    Attributes:
        number: counts the segments of a writer.
        size: as last listed.
        scanned: everything before it was read.
        examined: bytes that were looked at, a torn tail included.
        magic: of its frames; empty until the header is read.
        sealed: no process held its lock when it was last looked at.
        final: it was sealed before ``size`` was listed, so it does not grow any more.
        suspect: where a read found damage; believed when found again.
        taken: see the module's text.
        floor: everything before it is done with, whatever the group.
        pending: frames of it that wait in lanes.
        sending: open batches that hold frames of it.
        skipped: lanes whose frames of it were put out of memory.
        skipped_from: where the first of those begins.
        ignored: written by a newer modeltap: left alone.
    """

    name: str
    size: int = 0
    scanned: int = 0
    examined: int = 0
    magic: bytes = b""
    sealed: bool = False
    final: bool = False
    suspect: int = -1
    taken: dict[str, int] = field(default_factory=dict)
    floor: int = 0
    pending: int = 0
    sending: int = 0
    skipped: set[Lane] = field(default_factory=set)
    skipped_from: int = -1
    ignored: bool = False
    empty_since: float = -1.0
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        self.stem = writer_stem(self.name)
        digits = self.name.removesuffix(SUFFIX).rpartition(".")[2]
        self.number = int(digits) if digits.isascii() and digits.isdigit() else 0

    def skip(self, lane: Lane, start: int) -> None:
        """Remember that frames of a lane, from a position on, must be read again."""
        self.skipped.add(lane)
        self.skipped_from = start if self.skipped_from < 0 else min(start, self.skipped_from)


class Lane:
    """Frames that go the same way, in order for each segment."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[Entry]] = {}
        self.bytes = 0
        self.rows = 0
        self.retry = Retry()
        self.ratio = 1.0
        """Encoded bytes for each byte of frames, as the last batch had it."""

    def add(self, chunk: Chunk, entries: list[Entry]) -> None:
        """Put frames of a chunk, in order, at the end."""
        name = chunk.segment.name
        queue = self.waiting.get(name)
        if queue is None:
            queue = self.waiting[name] = deque()
        queue.extend(entries)
        chunk.hold(len(entries))
        chunk.segment.pending += len(entries)
        self.bytes += sum([entry.end - entry.start for entry in entries])
        self.rows += sum([entry.frame.rows for entry in entries])

    def take(self, segment: Segment, limit_bytes: float, limit_rows: float) -> list[Entry]:
        """Take a segment's first frames out, until they reach one of the limits."""
        queue = self.waiting[segment.name]
        taken: list[Entry] = []
        size = rows = 0
        while queue and size < limit_bytes and rows < limit_rows:
            entry = queue.popleft()
            taken.append(entry)
            size += entry.end - entry.start
            rows += entry.frame.rows
        if not queue:
            del self.waiting[segment.name]
        for chunk, entries in groupby(taken, attrgetter("chunk")):
            chunk.release(sum(1 for _ in entries))
        segment.pending -= len(taken)
        self.bytes -= size
        self.rows -= rows
        return taken

    def take_all(self, segment: Segment) -> list[Entry]:
        """Take all frames of a segment out."""
        return self.take(segment, inf, inf) if segment.name in self.waiting else []

    def insert(self, segment: Segment, entries: Iterable[Entry]) -> None:
        """Put frames where they belong among those of their segment."""
        for chunk, found in groupby(entries, attrgetter("chunk")):
            self.add(chunk, list(found))
        self.waiting[segment.name] = deque(sorted(self.waiting[segment.name], key=attrgetter("start")))

    def drop(self, segment: Segment) -> int:
        """Forget a segment's frames; gives where the first began, -1 if there was none."""
        taken = self.take_all(segment)
        return taken[0].start if taken else -1

    @property
    def oldest(self) -> float:
        """When the frame that waits longest was read."""
        return min(queue[0].chunk.seen for queue in self.waiting.values())


class Target(Lane):
    """A data file of a day.

    Attributes:
        number: of the file: ``data-<number>.csv``.
        schema: None when it takes no rows of ours.
        position: its committed size, as far as known.
        fate: how its frames end when the file can never be: an outcome of the ledger.
    """

    def __init__(self, stream: Stream, number: int, schema: Schema | None, position: int, fate: str = "") -> None:
        super().__init__()
        self.stream = stream
        self.number = number
        self.schema = schema
        self.position = position
        self.fate = fate
        self.path = "" if fate else stream.key.data_file(stream.date, number)


class Stream(Lane):
    """One key and UTC day; as a lane: the frames whose file is not known yet."""

    def __init__(self, key: CollectionKey, day: int, day_date: date) -> None:
        super().__init__()
        self.key = key
        self.day = day
        self.date = day_date
        self.targets: dict[int, Target] = {}
        self.unplaced: list[Group] = []
        self.groups: list[Group] = []


class Group:
    """See the module's text."""

    __slots__ = ("id", "lane", "shape", "stream")

    def __init__(self, identity: str, stream: Stream, shape: Shape) -> None:
        self.id = identity
        self.stream = stream
        self.shape = shape
        self.lane: Lane = stream


@dataclass(eq=False)
class Sending:
    """A batch on its way.

    Attributes:
        step: what is done next.
        since: when it was made, or taken up again.
        data: its bytes while they are still in memory; they lie in its file too.
        doubtful: whether its bytes are in their file is not certain.
        unknown: the outcome of a send of it was unknown once, or it was open at the start.
        conflicts: in a row.
    """

    batch: Batch
    step: Step
    since: float
    data: bytes | None = None
    doubtful: bool = False
    unknown: bool = False
    conflicts: int = 0
    retry: Retry = field(default_factory=Retry)
