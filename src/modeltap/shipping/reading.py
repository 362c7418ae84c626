"""Reading: from the segments of a spool to frames that wait in lanes.

Promises: a frame enters a lane once, in the order of its segment; a writer's segments are read one after the
other; no byte is passed over without being counted.

- A segment whose file is locked is **live**: a partial frame at its end may still grow. One that is not
  locked is **sealed** once a look that came after that finds it no longer: then its end is final, and a
  partial frame there is a torn tail.
- Damage is believed when a second, fresh read finds it at the same place. It is copied to
  ``quarantine/<segment>@<start>-<end>``, counted in the ledger, and passed.
- A header that is damaged costs nothing: the magic is taken from the frames. A sealed file without one
  frame that can be found, or of another spool, is moved to ``quarantine/``. A segment of a newer modeltap is
  left alone.
- An empty file is one that is just being made: it is not touched until it has been empty for a minute.
"""

from __future__ import annotations

from modeltap.errors import FormatTooNew, FrameError
from modeltap.shipping.disk import put_in_place
from modeltap.shipping.effects import IsLocked, ListFolder, ReadFile, RenameFile, Steps
from modeltap.shipping.frames import Stretch, is_loose
from modeltap.shipping.ledger import UNDECODABLE, damaged
from modeltap.shipping.recording import record
from modeltap.shipping.retrying import back_off
from modeltap.shipping.state import Chunk, Entry, Lane, Segment
from modeltap.shipping.work import Work
from modeltap.spool.frame import MAX_FRAME_BYTES, PREFIX
from modeltap.spool.segment import SUFFIX, decode_header

DAMAGED, TORN_TAIL, NO_SEGMENT, OTHER_SPOOL = "damaged", "torn_tail", "no_segment", "other_spool"
EMPTY_SECONDS = 60.0
_new_tuple = tuple.__new__  # as in modeltap.shipping.frames
_MAGIC_AT, _HEADER_BYTES = 16, 24


def look(work: Work) -> Steps[bool]:
    """List the segments and read on in each of them once; True when there is more to read."""
    if work.listing.until > work.now:
        return False
    try:
        sizes = yield ListFolder(work.config.path("segments"))
    except OSError as error:
        yield from back_off(work, work.listing, error)
        return False
    work.succeeded(work.listing)
    _take_sizes(work, sizes)
    more = False
    behind: set[str] = set()
    for segment in sorted(work.segments.values(), key=lambda found: (found.stem, found.number)):
        if segment.ignored or segment.retry.until > work.now or segment.stem in behind:
            continue
        try:
            more |= yield from _read_on(work, segment)
            work.succeeded(segment.retry)
        except OSError as error:
            yield from back_off(work, segment.retry, error)
        if segment.examined < segment.size and not segment.ignored:
            behind.add(segment.stem)
    return more


def _take_sizes(work: Work, sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        if name.endswith(SUFFIX):
            segment = work.segment(name)
            segment.final = segment.sealed = segment.sealed and size == segment.size
            segment.size = size
    for segment in work.segments.values():
        if segment.name not in sizes:  # somebody removed it: what was read of it is still shipped
            segment.size = segment.examined = segment.scanned
            segment.sealed = segment.final = True
            segment.skipped.clear()
            segment.skipped_from = -1


def _read_on(work: Work, segment: Segment) -> Steps[bool]:
    """Read what is new in a segment, at most one chunk; True when it should be looked at again at once."""
    if not segment.size:
        return (yield from _read_nothing(work, segment))
    if segment.examined < segment.size:
        if work.memory.used >= work.config.memory_bytes:
            return False
        yield from _read_chunk(work, segment)
        if segment.examined < segment.size:
            return True
    if segment.final:
        return (yield from _end(work, segment))
    segment.sealed = not segment.ignored and not (yield IsLocked(work.config.segment(segment.name)))
    return segment.sealed


def _read_nothing(work: Work, segment: Segment) -> Steps[bool]:
    if segment.empty_since < 0:
        segment.empty_since = work.now
    if work.now - segment.empty_since > EMPTY_SECONDS and not segment.final:
        segment.sealed = not (yield IsLocked(work.config.segment(segment.name)))
    return False


def _read_chunk(work: Work, segment: Segment) -> Steps[None]:
    start = segment.scanned
    data = yield ReadFile(work.config.segment(segment.name), start, min(work.config.chunk_bytes, segment.size - start))
    if not segment.magic:
        if not _read_header(work, segment, data):
            segment.examined = segment.size
            return
        data, start = data[segment.scanned :], segment.scanned
    yield from _take_stretch(work, segment, data, start)


def _read_header(work: Work, segment: Segment, data: bytes) -> bool:
    """Take the magic; False for a header that cannot be read: it is left until its file is sealed."""
    try:
        header = decode_header(data)
    except FormatTooNew:
        segment.ignored = True
        return False
    except FrameError:
        return False
    if header is None or header.document.get("spool") != work.config.spool_hash:
        return False
    segment.magic, segment.scanned = header.magic, header.length
    return True


def _end(work: Work, segment: Segment) -> Steps[bool]:
    """A sealed segment is read to its end: what is left there is no frame. True when it was a header."""
    if segment.scanned >= segment.size:
        return False
    path = work.config.segment(segment.name)
    data = yield ReadFile(path, segment.scanned, work.config.chunk_bytes)
    if segment.magic:
        yield from set_aside(work, segment, segment.scanned, segment.size, TORN_TAIL, data)
        segment.scanned = segment.size
        return False
    cause = _cause(data)
    magic = b"" if cause == OTHER_SPOOL else _magic_of_frames(work, data)
    if not magic:
        yield from _move_away(work, segment, cause)
        return False
    segment.magic, segment.examined = magic, 0
    segment.suspect = 0  # the damaged header was read twice already
    return True


def _cause(data: bytes) -> str:
    try:
        header = decode_header(data)
    except FrameError:
        return NO_SEGMENT
    return NO_SEGMENT if header is None else OTHER_SPOOL


def _magic_of_frames(work: Work, data: bytes) -> bytes:
    """The magic of a segment whose header is damaged; empty if no frame can be found."""
    candidates = [data[_MAGIC_AT:_HEADER_BYTES]]
    if len(data) >= _HEADER_BYTES:
        begin = _HEADER_BYTES + int.from_bytes(data[10:12], "little")
        candidates.append(data[begin : begin + len(candidates[0])])
    for magic in candidates:
        if len(magic) == _HEADER_BYTES - _MAGIC_AT and work.reader.read(data, magic, 0).frames:
            return magic
    return b""


def _move_away(work: Work, segment: Segment, cause: str) -> Steps[None]:
    """A file that holds nothing of ours leaves the segments, whole."""
    yield from record(work, damaged(segment.name, 0, segment.size, cause))
    yield RenameFile(work.config.segment(segment.name), work.config.path(f"quarantine/{segment.name}"))
    work.quarantine_used += segment.size
    segment.scanned = segment.examined = segment.size


def _take_stretch(work: Work, segment: Segment, data: bytes, base: int) -> Steps[None]:
    """Take in what stands in a chunk; nothing is changed when the disk fails on the way."""
    stretch = work.reader.read(data, segment.magic, base)
    whole_chunk = base + len(data) < segment.size
    if stretch.position == base and whole_chunk and len(data) > 2 * MAX_FRAME_BYTES - PREFIX.size:
        # No frame begins in the first half: it would end in the second.
        stretch.position = base + len(data) - MAX_FRAME_BYTES
        stretch.damaged.append((base, stretch.position))
    limit = _believed(work, segment, stretch)
    for start, end in stretch.damaged:
        if end <= limit:
            yield from set_aside(work, segment, start, end, DAMAGED, data[start - base : end - base])
    for start, end in stretch.undecodable:
        if end <= limit:
            yield from set_aside(work, segment, start, end, UNDECODABLE, data[start - base : end - base])
    chunk = Chunk(work.memory, segment, len(data), work.now)
    lanes, misplaced = _sorted_out(work, segment, stretch, limit, chunk)
    for start, end, rows in misplaced:
        yield from set_aside(work, segment, start, end, UNDECODABLE, data[start - base : end - base], rows)
    for lane, entries in lanes.items():
        if lane in segment.skipped:
            continue  # they are read again from further ahead, when the lane goes on
        lane.add(chunk, entries)
    segment.scanned = min(limit, stretch.position)
    segment.examined = segment.scanned if whole_chunk or limit < stretch.position else base + len(data)


def _believed(work: Work, segment: Segment, stretch: Stretch) -> int:
    """Up to where a stretch is taken in: up to damage that is seen for the first time."""
    for start, end in stretch.damaged:
        if work.ledger.knows_damage(segment.name, start, end):
            continue
        if segment.suspect != start:
            segment.suspect = start
            return start
        break
    segment.suspect = -1
    return stretch.position


def _sorted_out(
    work: Work, segment: Segment, stretch: Stretch, limit: int, chunk: Chunk
) -> tuple[dict[Lane, list[Entry]], list[tuple[int, int, int]]]:
    """The frames that are not done with, by lane, and those whose names or day could stand in no path."""
    lanes: dict[Lane, list[Entry]] = {}
    misplaced: list[tuple[int, int, int]] = []
    taken, floor = segment.taken, segment.floor
    known_damage = segment.name in work.ledger.damaged
    for start, end, known, frame in stretch.frames:
        if start >= limit:
            break
        if start < floor or (known_damage and work.ledger.knows_damage(segment.name, start, end)):
            continue
        loose = known.numbers and is_loose(frame)
        group = known.groups.get(2 * frame.day + loose)
        if group is None:
            try:
                group = work.group_of(known, frame.day, loose=loose)
            except FrameError:
                misplaced.append((start, end, frame.rows))
                continue
        if start >= taken.get(group.id, 0):
            entry = _new_tuple(Entry, (start, end, frame, group, chunk))
            entries = lanes.get(group.lane)
            if entries is None:
                lanes[group.lane] = [entry]
            else:
                entries.append(entry)
    return lanes, misplaced


def set_aside(
    work: Work, segment: Segment, start: int, end: int, cause: str, data: bytes, rows: int = 0
) -> Steps[None]:
    """Copy bytes that are no rows of ours to the quarantine, if it has room, and count them.

    Raises:
        OSError: the disk refuses; nothing is counted.
    """
    if work.ledger.knows_damage(segment.name, start, end):
        return
    if work.quarantine_used + len(data) <= work.config.quarantine_bytes:
        name = f"{segment.name}@{start}-{end}"
        work.quarantine_used += yield from put_in_place(work.config.path("quarantine"), name, [data])
    yield from record(work, damaged(segment.name, start, end, cause, rows))
