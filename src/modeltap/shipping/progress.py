"""Progress: where shipping stands, read off the state."""

from __future__ import annotations

from modeltap.shipping.effects import Progress
from modeltap.shipping.state import Segment
from modeltap.shipping.work import Work


def settled_positions(work: Work) -> dict[str, int]:
    """For each segment the position below which every frame is done with, or was never one."""
    positions = {segment.name: segment.scanned for segment in work.segments.values()}
    for lane in work.lanes():
        for name, queue in lane.waiting.items():
            positions[name] = min(positions[name], queue[0].start)
    for sending in work.open_sendings():
        for name, groups in sending.batch.ranges.items():
            if name in positions:
                positions[name] = min(positions[name], *(start for start, _ in groups.values()))
    for segment in work.segments.values():
        if segment.skipped_from >= 0:
            positions[segment.name] = min(positions[segment.name], segment.skipped_from)
    return positions


def passed(segment: Segment, settled: int) -> int:
    """The position below which no accepted row waits: a torn tail holds none."""
    if segment.ignored:  # its rows wait for the modeltap that can read them
        return settled
    return max(segment.examined, settled) if settled >= segment.scanned else settled


def take_progress(work: Work) -> Progress:
    """Tell where shipping stands; what is told once (commits, rows given up) is forgotten."""
    settled = settled_positions(work)
    segments = {name: passed(work.segments[name], position) for name, position in settled.items()}
    sendings = list(work.open_sendings())
    waits = [lane.oldest for lane in work.lanes() if lane.waiting] + [sending.since for sending in sendings]
    counts, known = work.ledger.counts, work.segments.values()
    progress = Progress(
        segments=segments,
        settled=settled,
        shipped=dict(counts.shipped),
        quarantined=dict(counts.quarantined),
        dropped=dict(counts.dropped),
        damaged=dict(counts.damaged),
        shipped_rows=counts.shipped_rows,
        backlog_bytes=sum(max(0, segment.size - segments[segment.name]) for segment in known),
        oldest_seconds=max(0.0, work.now - min(waits)) if waits else 0.0,
        open_batches=len(sendings),
        living=sum(not segment.sealed and not segment.ignored for segment in known),
        idle=not sendings
        and work.listing not in work.problems
        and all(segments[found.name] >= found.size or found.ignored for found in known),
        too_new=sum(segment.ignored for segment in known),
        last_error=next(reversed(work.problems.values()), None),
        commits=tuple(work.commits),
        given_up=tuple(work.given_up),
    )
    work.commits.clear()
    work.given_up.clear()
    return progress
