"""The shipper: from the segments of one spool to the data files of one store, each row exactly once.

A generator that yields every touch of the world as an effect (``modeltap.shipping.effects``), before every
single disk and network call, and imports no clock, file, network or randomness. One shipper runs on a spool at
a time (the agent's lock); any number of spools ship to the same files.

One round::

    orders   flush? drain? end?
    look     list the segments, read on in each                                  (reading)
    place    find or make the data file of each new group of frames              (placing)
    ship     batches whose pause is over go on; lanes that are due get a batch   (committing, batching)
    tidy     segments that are done with are removed: ledger first, then unlink
    report   where shipping stands
    sleep    50 ms while rows come, up to 250 ms when none come, not at all when there is more to do

Bounds: ``memory_bytes`` of frames in memory. When that is full everything is due; when all that waits is
blocked, it is put out of memory and read again once its file goes on, so a file that is held never stops the
others, and a backlog of any size is shipped in the same memory.

A segment is removed when it is sealed, read to its end, and nothing of it waits, is on its way or was put out
of memory. Whoever finds a segment missing may take it as shipped.
"""

from __future__ import annotations

from modeltap.shipping.batching import build, is_due
from modeltap.shipping.committing import advance
from modeltap.shipping.effects import (
    Now,
    Orders,
    ReadOrders,
    Report,
    Sleep,
    Steps,
    UnlinkFile,
)
from modeltap.shipping.placing import place
from modeltap.shipping.progress import passed, settled_positions, take_progress
from modeltap.shipping.reading import look
from modeltap.shipping.recovery import keep_reserve, recover
from modeltap.shipping.retrying import back_off
from modeltap.shipping.state import Sending, Target
from modeltap.shipping.work import Config, Work
from modeltap.spool.frame import read_descriptor

EASING = 1.25
"""Each look that finds nothing makes the pause longer by this."""
MAX_IDLE_STREAMS = 256
GOALS_SECONDS = 60.0
"""A request to ship at once is forgotten after that: what is held must not make every later batch small."""


def ship(config: Config) -> Steps[None]:
    """Ship until ordered to end.

    Raises:
        FormatTooNew: the spool was written by a newer modeltap; it is left untouched.
        OSError: the spool cannot be read at the start.
    """
    work = Work(config)
    yield from recover(work)
    yield from _keep_reserve(work)
    orders: Orders = yield ReadOrders()
    mark: object = None  # a request that was made before the start counts too
    pause = config.poll_seconds
    while not orders.end:
        work.now = yield Now()
        more = yield from look(work)
        if orders.flush != mark:
            mark = orders.flush
            work.goals = {found.name: found.size for found in work.segments.values() if not found.ignored}
            work.goals_until = work.now + GOALS_SECONDS
        moved = yield from _ship_what_is_due(work, drain=orders.drain)
        yield from _tidy(work)
        progress = take_progress(work)
        yield Report(progress)
        if more or moved:
            pause = config.poll_seconds
        elif orders.drain and progress.idle:
            return
        else:
            yield Sleep(_pause(work, pause))
            pause = config.poll_seconds if not progress.idle else min(pause * EASING, config.idle_seconds)
        orders = yield ReadOrders()


def _ship_what_is_due(work: Work, *, drain: bool) -> Steps[bool]:
    """Let everything go that should go; True when something did."""
    _note_goals(work)
    full = work.memory.used >= work.config.memory_bytes
    work.urgent = drain or bool(work.goals) or full
    moved = False
    for sending in list(work.open_sendings()):
        moved |= yield from _go_on(work, sending)
    for stream in list(work.streams.values()):
        yield from place(work, stream)
    for lane in list(work.lanes()):
        if isinstance(lane, Target) and is_due(work, lane) and (yield from build(work, lane)):
            for sending in list(work.sendings.get(lane.path, ())):
                yield from _go_on(work, sending)
            moved = True
    if full and not moved:
        for lane in list(work.lanes()):
            if work.is_blocked(lane):
                work.put_out_of_memory(lane)
                moved = True
    return moved


def _go_on(work: Work, sending: Sending) -> Steps[bool]:
    """Take a batch further, and tell of it."""
    ended = yield from advance(work, sending)
    if ended:
        yield Report(take_progress(work))
    return ended


def _note_goals(work: Work) -> None:
    """A request to ship at once is met when everything that stood there then is passed."""
    if work.now >= work.goals_until:
        work.goals.clear()
    if work.goals:
        settled = settled_positions(work)
        work.goals = {
            name: size
            for name, size in work.goals.items()
            if name in settled and passed(work.segments[name], settled[name]) < size
        }


def _tidy(work: Work) -> Steps[None]:
    """Remove what is done with."""
    removed = False
    for segment in list(work.segments.values()):
        waits = segment.pending or segment.sending or segment.skipped or segment.ignored
        if waits or not segment.final or segment.scanned < segment.size or segment.retry.until > work.now:
            continue
        try:
            yield UnlinkFile(work.config.segment(segment.name))
        except OSError as error:
            yield from back_off(work, segment.retry, error)
            continue
        del work.segments[segment.name]
        work.ledger.forget_segment(segment.name)
        removed = True
    if removed and work.disk_full:
        yield from _keep_reserve(work)
    # Dicts with keys of their own bring a new schema with each row: a day of them has few files, but no end of schemas.
    if len(work.streams) > MAX_IDLE_STREAMS or work.known_columns > work.config.known_columns:
        _forget_idle_streams(work)


def _keep_reserve(work: Work) -> Steps[None]:
    try:
        yield from keep_reserve(work)
    except OSError:
        work.disk_full = True


def _forget_idle_streams(work: Work) -> None:
    """Days and collections that nothing waits for; their files are listed again when rows come."""
    if work.sendings or any(segment.skipped for segment in work.segments.values()):
        return
    for stream in list(work.streams.values()):
        fates = [target for (owner, _), target in work.fates.items() if owner is stream]
        if not any(lane.waiting for lane in (stream, *stream.targets.values(), *fates)):
            work.forget_stream(stream)
    work.schemas.clear()
    read_descriptor.cache_clear()


def _pause(work: Work, longest: float) -> float:
    """How long nothing can happen but news."""
    moments = [retry.until for retry in work.problems]
    moments += [lane.oldest + work.config.flush_seconds for lane in work.lanes() if lane.waiting]
    later = [moment - work.now for moment in moments if moment > work.now]
    return min([longest, *later])
