"""The shipper's work: its configuration and its state, with the small steps that every part of the core shares.

The state's parts and their invariants stand in ``modeltap.shipping.state``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

from modeltap.core.key import TREES, CollectionKey, day_of
from modeltap.core.schema import MAX_SCHEMAS_PER_DAY, NULL, TYPES, Schema
from modeltap.errors import FrameError, NameRefused
from modeltap.shipping.disk import LedgerFile
from modeltap.shipping.effects import Commit
from modeltap.shipping.frames import FrameReader, Known
from modeltap.shipping.ledger import LedgerState
from modeltap.shipping.routing import Shape
from modeltap.shipping.state import Group, Lane, Memory, Retry, Segment, Sending, Stream, Target
from modeltap.spool.frame import Frame


@dataclass(frozen=True)
class Config:
    """What a shipper is given.

    Attributes:
        spool: path of the spool.
        spool_hash: its identity; segments of another spool are set aside.
        encode: (file schema, frames) -> CSV rows; pure.
        header: file schema -> header line; pure.
        flush_seconds: how long a row may wait to be batched.
        batch_bytes: a batch is about as large as this when encoded (4 MiB: a few ms of fixed cost per commit).
        batch_rows: and has about as many rows as this at most.
        memory_bytes: what waits in memory (24 MiB beside interpreter and encoder keeps below 200 MB).
        known_columns: of schemas that are remembered while nothing of theirs waits (about 300 bytes each).
        chunk_bytes: what is read at once; more than the largest frame.
        quarantine_bytes: bound of ``quarantine/``; when it is full, what should go there waits.
        ledger_bytes: the ledger is rewritten when it has grown by this.
        reserve_bytes: kept on disk, given up when the disk is full so that shipping can make room.
        schemas_per_day: bound of a designation's data files of a day.
        poll_seconds: pause between two looks while rows come.
        idle_seconds: pause between two looks when none come.
    """

    spool: str
    spool_hash: str
    encode: Callable[[Schema, Sequence[Frame]], bytes]
    header: Callable[[Schema], bytes]
    flush_seconds: float = 1.0
    batch_bytes: int = 4 << 20
    batch_rows: int = 50_000
    memory_bytes: int = 24 << 20
    known_columns: int = 100_000
    chunk_bytes: int = 2 << 20
    quarantine_bytes: int = 256 << 20
    ledger_bytes: int = 1 << 20
    reserve_bytes: int = 1 << 20
    schemas_per_day: int = MAX_SCHEMAS_PER_DAY
    poll_seconds: float = 0.05
    idle_seconds: float = 0.25

    def path(self, name: str) -> str:
        """A file or folder of the spool."""
        return f"{self.spool}/{name}"

    def segment(self, name: str) -> str:
        """A segment's file."""
        return f"{self.spool}/segments/{name}"


@dataclass
class Work:
    """Everything that a shipper knows; see ``modeltap.shipping.state`` for the parts."""

    config: Config
    ledger: LedgerState = field(default_factory=LedgerState)
    memory: Memory = field(default_factory=Memory)
    reader: FrameReader = field(default_factory=FrameReader)
    segments: dict[str, Segment] = field(default_factory=dict)
    streams: dict[tuple[CollectionKey, int], Stream] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    fates: dict[tuple[Stream, str], Target] = field(default_factory=dict)
    sendings: dict[str, list[Sending]] = field(default_factory=dict)
    on_their_way: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Schema] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    problems: dict[Retry, str] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    given_up: list[tuple[tuple[str, ...], str, int]] = field(default_factory=list)
    goals: dict[str, int] = field(default_factory=dict)
    goals_until: float = 0.0
    floors: dict[str, int] = field(default_factory=dict)
    now: float = 0.0
    urgent: bool = False
    disk_full: bool = False
    outage_since: float = -1.0
    quarantine_used: int = 0
    known_columns: int = 0
    snapshot_bytes: int = 0

    def __post_init__(self) -> None:
        self.file = LedgerFile(self.config.spool, "ledger")
        self.disk = Retry()
        self.listing = Retry()

    def lanes(self) -> Iterator[Lane]:
        """Every lane there is."""
        for stream in self.streams.values():
            yield stream
            yield from stream.targets.values()
        yield from self.fates.values()

    def open_sendings(self) -> Iterator[Sending]:
        """Every batch on its way."""
        for sendings in self.sendings.values():
            yield from sendings

    def is_blocked(self, lane: Lane) -> bool:
        """Whether nothing of a lane can be sent now."""
        if not isinstance(lane, Target):
            return lane.retry.until > self.now
        return lane.path in self.sendings or any(
            # A group that moved to another file waits until its batch for the old one is done with.
            self.on_their_way.get(group.id, lane.path) != lane.path
            for group in (lane.stream.groups if self.on_their_way else ())
            if group.lane is lane
        )

    def segment(self, name: str) -> Segment:
        """A segment of the spool; what the ledger says of it is known from the start."""
        segment = self.segments.get(name)
        if segment is None:
            segment = self.segments[name] = Segment(name, taken=dict(self.ledger.done.get(name, {})))
            segment.floor = self.floors.pop(name, 0)
            for sending in self.open_sendings():
                self.mark_taken(segment, sending)
        return segment

    def open_sending(self, sending: Sending) -> None:
        """From now on a batch is on its way."""
        self.sendings.setdefault(sending.batch.path, []).append(sending)
        for name, groups in sending.batch.ranges.items():
            self.on_their_way.update(dict.fromkeys(groups, sending.batch.path))
            if name in self.segments:
                self.mark_taken(self.segments[name], sending)

    def close_sending(self, sending: Sending) -> None:
        """A batch is on its way no more."""
        sendings = self.sendings[sending.batch.path]
        sendings.remove(sending)
        if not sendings:
            del self.sendings[sending.batch.path]
        self.succeeded(sending.retry)
        for name, groups in sending.batch.ranges.items():
            for group in groups:
                self.on_their_way.pop(group, None)
            if name in self.segments:
                self.segments[name].sending -= 1

    @staticmethod
    def mark_taken(segment: Segment, sending: Sending) -> None:
        """Frames of a segment are in an open batch."""
        groups = sending.batch.ranges.get(segment.name)
        if groups is not None:
            segment.sending += 1
            for group, (_, end) in groups.items():
                segment.taken[group] = max(end, segment.taken.get(group, 0))

    def group_of(self, known: Known, day: int, *, loose: bool) -> Group:
        """The group of frames that were not seen before; remembered in ``known.groups``.

        Raises:
            FrameError: their names or their day could stand in no path.
        """
        key, schema = known.descriptor.key, known.descriptor.schema
        stream = self.stream(key, day)
        identity = group_id(key, day, schema, loose=loose)
        group = self.groups.get(identity)
        if group is None:
            group = self.groups[identity] = Group(identity, stream, Shape(schema, loose))
            stream.groups.append(group)
            stream.unplaced.append(group)
            self.known_columns += len(schema.columns)
        known.groups[2 * day + loose] = group
        return group

    def forget_stream(self, stream: Stream) -> None:
        """Nothing waits for a stream; it is met anew when rows come."""
        del self.streams[stream.key, stream.day]
        for group in stream.groups:
            self.groups.pop(group.id, None)
            self.known_columns -= len(group.shape.schema.columns)
        self.fates = {place: target for place, target in self.fates.items() if place[0] is not stream}
        self.reader = FrameReader()  # its descriptors remember the groups

    def stream(self, key: CollectionKey, day: int) -> Stream:
        """The stream of a key and day.

        Raises:
            FrameError: its names or its day could stand in no path.
        """
        stream = self.streams.get((key, day))
        if stream is None:
            stream = self.streams[key, day] = Stream(key, day, _date_of(key, day))
        return stream

    def rewind(self, segment: Segment, start: int = -1) -> None:
        """Read a segment again, from a position or the first frame that waits or was skipped."""
        starts = [lane.drop(segment) for lane in self.lanes()]
        starts += [start, segment.skipped_from]
        segment.scanned = min([segment.scanned, *(found for found in starts if found >= 0)])
        segment.examined = min(segment.examined, segment.scanned)
        segment.skipped.clear()
        segment.skipped_from = segment.suspect = -1

    def put_out_of_memory(self, lane: Lane) -> None:
        """Forget what waits in a lane; its segments are read again when it goes on."""
        for name in list(lane.waiting):
            segment = self.segments[name]
            segment.skip(lane, lane.drop(segment))

    def read_again(self, lane: Lane) -> None:
        """A lane goes on: bring back what was put out of memory."""
        for segment in self.segments.values():
            if lane in segment.skipped:
                self.rewind(segment)

    def succeeded(self, retry: Retry) -> None:
        """What failed works again."""
        retry.attempts, retry.until = 0, 0.0
        self.problems.pop(retry, None)


def group_id(key: CollectionKey, day: int, schema: Schema, *, loose: bool) -> str:
    """16 hex digits that follow from a frame alone.

    Raises:
        FrameError: its columns could stand in no file.
    """
    if not set(schema.types) <= {*TYPES, NULL}:
        raise FrameError(f"placing a frame: one of its types {sorted(set(schema.types))} is unknown; it is set aside")
    try:
        text = f"{key.tree}/{key.folder}\n{day}\n{schema.id}\n{loose}"
    except ValueError as error:
        raise FrameError(f"placing a frame: {error!r}; it is set aside") from error
    return sha256(text.encode()).hexdigest()[:16]


def _date_of(key: CollectionKey, day: int) -> date:
    if key.tree not in TREES:
        raise FrameError(f"placing a frame: {key.tree[:80]!r} is no tree of data files; it is set aside")
    try:
        _ = key.folder
        return day_of(day)
    except (NameRefused, OverflowError, ValueError) as error:
        raise FrameError(f"placing a frame: {error}; it is set aside") from error
