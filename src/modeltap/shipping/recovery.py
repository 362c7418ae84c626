"""The start: what a dead shipper left behind is read, and every batch on its way is taken up again.

Promises: the content of a spool never stops a start, except a format that is newer (left untouched); every
batch whose outcome is not on record is asked for before anything new goes to its file; the ledger is written
anew, so that what stands in it is whole.

A second witness: ``status.json`` says for each segment below which position everything is settled. It is
published after the ledger, so it never says too much; where the ledger lost lines, it says enough.
"""

from __future__ import annotations

import json

from modeltap.errors import FormatTooNew, FrameError
from modeltap.shipping.batch import SUFFIX, Batch, decode_file
from modeltap.shipping.committing import clear_away
from modeltap.shipping.decision import Step
from modeltap.shipping.disk import TEMPORARY, put_in_place
from modeltap.shipping.effects import ListFolder, Now, ReadFile, RenameFile, Steps, UnlinkFile
from modeltap.shipping.ledger import QUARANTINED, replay, settled
from modeltap.shipping.recording import compact
from modeltap.shipping.retrying import RESERVE, back_off
from modeltap.shipping.state import Sending
from modeltap.shipping.work import Work


def recover(work: Work) -> Steps[None]:
    """Take up the work.

    Raises:
        FormatTooNew: the spool was written by a newer modeltap.
        OSError: the spool cannot be read.
    """
    work.now = yield Now()
    work.ledger = replay((yield from _read_if_there(work, "ledger")))
    work.floors = _floors((yield from _read_if_there(work, "status.json")), work.config.spool_hash)
    yield from _take_up_intents(work)
    yield from _settle_set_aside(work)
    for batch in work.ledger.open.values():
        # A batch without a path was to be set aside; any other may be in the store.
        step = Step.ASK if batch.path else Step.REFUSED
        work.open_sending(Sending(batch, step, work.now, unknown=True))
    try:
        yield from compact(work)
    except OSError as error:
        yield from back_off(work, work.disk, error)  # the first record tries again


def keep_reserve(work: Work) -> Steps[None]:
    """Have some room on disk that can be given up when the disk is full.

    Raises:
        OSError: there is none now.
    """
    sizes = yield ListFolder(work.config.spool)
    if sizes.get(RESERVE, 0) < work.config.reserve_bytes:
        piece = b"\\xff" * (64 << 10)  # not zeros: some file systems keep no blocks for those
        yield from put_in_place(work.config.spool, RESERVE, [piece] * (work.config.reserve_bytes // len(piece)))
    work.disk_full = False


def _read_if_there(work: Work, name: str) -> Steps[bytes]:
    try:
        data: bytes = yield ReadFile(work.config.path(name))
    except FileNotFoundError:
        return b""
    return data


def _floors(status: bytes, spool_hash: str) -> dict[str, int]:
    try:
        document = json.loads(status)
        if document["spool"] == spool_hash:
            return {str(name): int(position) for name, position in document["settled"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return {}


def _take_up_intents(work: Work) -> Steps[None]:
    """Each file in ``intents/`` is a batch on its way, the remains of a settled one, or damage."""
    names = yield ListFolder(work.config.path("intents"))
    for name in sorted(names):
        path = work.config.path(f"intents/{name}")
        identity = name.removesuffix(SUFFIX)
        if name.endswith(TEMPORARY):
            yield UnlinkFile(path)
        elif identity in work.ledger.settled:
            yield from clear_away(work, identity, work.ledger.settled[identity])
        elif identity not in work.ledger.open:
            yield from _take_up(work, name, identity)


def _take_up(work: Work, name: str, identity: str) -> Steps[None]:
    """A batch that the ledger does not know: its line was damaged, or never written."""
    path = work.config.path(f"intents/{name}")
    batch: Batch | None = None
    try:
        batch, _ = decode_file((yield ReadFile(path)))
    except FormatTooNew:
        raise
    except FrameError:
        batch = None
    if batch is None or batch.id != identity:
        yield RenameFile(path, work.config.path(f"quarantine/{name}"))
    else:
        work.ledger.open[identity] = batch


def _settle_set_aside(work: Work) -> Steps[None]:
    """A batch whose bytes lie in the quarantine was settled; that line was damaged."""
    sizes = yield ListFolder(work.config.path("quarantine"))
    work.quarantine_used = sum(sizes.values())
    for name in sizes:
        identity, _, outcome = name.removesuffix(SUFFIX).partition(".")
        batch = work.ledger.open.get(identity)
        if batch is not None and outcome in QUARANTINED:
            work.ledger.apply(settled(batch, outcome))
