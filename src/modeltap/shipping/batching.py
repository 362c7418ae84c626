"""Batching: frames that wait in a lane become a batch with its bytes on disk.

A lane is **due** when it holds a full batch, when its oldest frame has waited ``flush_seconds``, when somebody
asked to ship at once, or when memory is short. Nothing waits longer for company than that.

Promises: a batch takes, of each segment, the frames at the front of the lane, so what remains begins where
the batch ends; its bytes are on disk before anybody is told of it; a frame that no encoder can read is set
aside alone, and blocks nothing. When the disk refuses, the frames are read again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby
from operator import attrgetter

from modeltap.core.schema import Schema
from modeltap.shipping.batch import SUFFIX, Batch, encode_front
from modeltap.shipping.decision import Step
from modeltap.shipping.disk import InDoubt, put_in_place
from modeltap.shipping.effects import Draw, ReadFile, Steps
from modeltap.shipping.ledger import REFUSED, TOO_MANY_SCHEMAS, UNDECODABLE, settled
from modeltap.shipping.reading import set_aside
from modeltap.shipping.recording import record
from modeltap.shipping.retrying import back_off
from modeltap.shipping.state import Entry, Lane, Sending, Target
from modeltap.shipping.work import Work

SMALL_BATCH_BYTES = 256 << 10
"""While the disk is full: the reserve that was given up holds four of them."""


def is_due(work: Work, lane: Lane) -> bool:
    """Whether a lane's frames should wait no longer."""
    if not lane.waiting or work.is_blocked(lane) or work.disk.until > work.now:
        return False
    full = lane.bytes * lane.ratio >= _limit(work) or lane.rows >= work.config.batch_rows
    return full or work.urgent or work.now - lane.oldest >= work.config.flush_seconds


def build(work: Work, target: Target) -> Steps[bool]:
    """Make one batch of a target's frames and put it on its way; True when something was done."""
    entries = _cut(work, target)
    try:
        yield from _send_off(work, target, entries)
    except OSError as error:
        for name in {entry.name: None for entry in entries}:
            work.rewind(work.segments[name], min(entry.start for entry in entries if entry.name == name))
        yield from back_off(work, work.disk, error)
        return False
    work.succeeded(work.disk)
    return True


def _limit(work: Work) -> int:
    return SMALL_BATCH_BYTES if work.disk_full else work.config.batch_bytes


def _cut(work: Work, target: Target) -> list[Entry]:
    """Take frames out of a lane, of one segment after the other, until a batch is full."""
    limit_bytes, limit_rows = _limit(work) / max(target.ratio, 0.01), work.config.batch_rows
    entries: list[Entry] = []
    for name in list(target.waiting):
        taken = target.take(work.segments[name], limit_bytes, limit_rows)
        entries += taken
        limit_bytes -= sum([entry.end - entry.start for entry in taken])
        limit_rows -= sum([entry.frame.rows for entry in taken])
        if limit_bytes <= 0 or limit_rows <= 0:
            if name in target.waiting:
                target.waiting[name] = target.waiting.pop(name)  # the others come first next time
            break
    return entries


def _send_off(work: Work, target: Target, entries: list[Entry]) -> Steps[None]:
    """Encode, write the bytes down, and let the batch go.

    Raises:
        OSError: the disk refuses; nothing has happened to the frames.
    """
    identity = (yield Draw(16)).hex()
    if target.fate == TOO_MANY_SCHEMAS:
        batch = _describe(target, entries, b"", identity, "")
        yield from record(work, settled(batch, TOO_MANY_SCHEMAS))
        work.given_up.append(((target.stream.key.tree, *target.stream.key.parts), TOO_MANY_SCHEMAS, batch.total_rows))
        given_up = Sending(batch, Step.REFUSED, work.now)
        work.open_sending(given_up)
        work.close_sending(given_up)
        return
    schema = target.schema or entries[0].group.shape.schema.settled()
    data, unreadable = _encode(work, schema, entries)
    for entry in unreadable:
        raw = yield ReadFile(work.config.segment(entry.name), entry.start, entry.end - entry.start)
        segment = work.segments[entry.name]
        yield from set_aside(work, segment, entry.start, entry.end, UNDECODABLE, raw, entry.frame.rows)
    lost = set(map(id, unreadable))
    readable = [entry for entry in entries if id(entry) not in lost]
    if readable:
        yield from _write_down(work, target, _describe(target, readable, data, identity, schema.id), data)


def _write_down(work: Work, target: Target, batch: Batch, data: bytes) -> Steps[None]:
    name = f"{batch.id}{SUFFIX}"
    step = Step.REFUSED if target.fate == REFUSED else Step.RECORD
    sending = Sending(batch, step, work.now, data)
    try:
        yield from put_in_place(work.config.path("intents"), name, [encode_front(batch), data])
    except InDoubt as error:
        # The file may be there: the next start would send it, so its frames may not go into another batch.
        sending.data, sending.doubtful = None, True
        work.open_sending(sending)
        yield from back_off(work, sending.retry, error)
    else:
        work.open_sending(sending)


def _encode(work: Work, schema: Schema, entries: Sequence[Entry]) -> tuple[bytes, list[Entry]]:
    """The rows, and the frames that cannot be read: found by halving."""
    try:
        return work.config.encode(schema, [entry.frame for entry in entries]), []
    except Exception:  # noqa: BLE001  whatever one frame does to an encoder, the others are shipped
        if len(entries) == 1:
            return b"", list(entries)
    middle = len(entries) // 2
    first, unreadable = _encode(work, schema, entries[:middle])
    second, more = _encode(work, schema, entries[middle:])
    return first + second, unreadable + more


def _describe(target: Target, entries: Sequence[Entry], data: bytes, identity: str, schema: str) -> Batch:
    ranges: dict[str, dict[str, tuple[int, int]]] = {}
    rows: dict[str, int] = {}
    size = 0
    for (chunk, group), found in groupby(entries, attrgetter("chunk", "group")):
        run = list(found)
        groups = ranges.setdefault(chunk.segment.name, {})
        start, _ = groups.get(group.id, (run[0].start, 0))
        groups[group.id] = (start, run[-1].end)
        stem = chunk.segment.stem
        rows[stem] = rows.get(stem, 0) + sum([entry.frame.rows for entry in run])
        size += sum([entry.end - entry.start for entry in run])
    if data:
        target.ratio = len(data) / size
    stream = target.stream
    return Batch(
        id=identity,
        path=target.path,
        position=target.position,
        length=len(data),
        sha256=sha256(data).hexdigest(),
        ranges=ranges,
        key=stream.key,
        day=stream.day,
        schema=schema,
        rows=rows,
        first_us=min([entry.frame.timestamp_us for entry in entries]),
        last_us=max([entry.frame.timestamp_us for entry in entries]),
    )
