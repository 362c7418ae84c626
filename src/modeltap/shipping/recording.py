"""Recording: what happened goes into the ledger, durable before it is known."""

from __future__ import annotations

from modeltap.errors import FrameError
from modeltap.shipping.effects import ListFolder, Steps, SyncFile
from modeltap.shipping.ledger import LedgerState, Record
from modeltap.shipping.work import Work
from modeltap.spool.segment import writer_stem


def record(work: Work, entry: Record) -> Steps[None]:
    """Bring a record into the ledger: durable, then known.

    Raises:
        OSError: the disk refuses; nothing is known that was not known before.
    """
    grown = work.file.size - work.snapshot_bytes
    if not work.file.usable or grown > max(work.config.ledger_bytes, work.snapshot_bytes):
        yield from compact(work)
    yield from work.file.append(entry)
    try:
        work.ledger.apply(entry)
    except FrameError as error:
        raise RuntimeError(f"recording {entry['record']!r} in the ledger: {error}") from error


def compact(work: Work) -> Steps[None]:
    """Rewrite the ledger as a snapshot.

    Raises:
        OSError: the disk refuses; the old one stands.
    """
    config = work.config
    for folder in ("segments", "intents"):
        yield SyncFile(config.path(folder))  # a file that a power loss brings back must not be forgotten before
    segments = yield ListFolder(config.path("segments"))
    intents = yield ListFolder(config.path("intents"))
    stems = {name.removesuffix(".json") for name in (yield ListFolder(config.path("writers")))}
    stems |= {writer_stem(name) for name in segments}
    names = sorted(name for name in work.ledger.done.keys() | work.ledger.damaged.keys() if name in segments)
    ids = sorted(name.partition(".")[0] for name in intents)
    records = list(work.ledger.snapshot(names, stems, ids))
    yield from work.file.rewrite(records)
    work.snapshot_bytes = work.file.size
    work.ledger = LedgerState()
    for entry in records:
        work.ledger.apply(entry)
