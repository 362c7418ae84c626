"""Committing: a batch with its bytes on disk goes into its data file, once, whatever the store answers.

The order of one commit; a crash between any two lines loses and doubles nothing, because the next start finds
the bytes or the intent and asks "is it in?" before it does anything else::

    bytes in intents/<id>.bytes, durable         (modeltap.shipping.batching)
    ledger: intent, durable                      it may be in from here on
    append at a position                         what follows is in modeltap.shipping.decision
    ledger: settled, durable                     its frames are done with
    bytes removed, or moved to quarantine/

A batch that is set aside keeps its file as ``quarantine/<id>.<outcome>.bytes``: whole, and able to be sent again.
"""

from __future__ import annotations

from modeltap.errors import ModeltapError
from modeltap.shipping.batch import SUFFIX, Batch, decode_file
from modeltap.shipping.decision import Answer, Step, answer_of, decide, makes_unknown
from modeltap.shipping.effects import (
    AppendBlob,
    Commit,
    HeadBlob,
    HoldsBatch,
    ListFolder,
    ReadFile,
    RenameFile,
    Steps,
    SyncFile,
    UnlinkFile,
)
from modeltap.shipping.ledger import REFUSED, SHIPPED, UNDETERMINED, intent, settled, withdrawn
from modeltap.shipping.placing import leave
from modeltap.shipping.recording import record
from modeltap.shipping.retrying import ask, back_off
from modeltap.shipping.state import Sending, Target
from modeltap.shipping.work import Work

PATIENT_AFTER = 3
"""Conflicts in a row before a busy file is left alone for a moment."""
_OUTCOMES = {Step.SHIPPED: SHIPPED, Step.REFUSED: REFUSED, Step.UNDETERMINED: UNDETERMINED}


class QuarantineFull(ModeltapError):
    """What should be set aside has no room; it waits."""


def advance(work: Work, sending: Sending) -> Steps[bool]:
    """Take a batch as far as it goes now; True when it is done with."""
    while sending.retry.until <= work.now:
        try:
            if sending.doubtful:
                yield from _remove_doubt(work, sending)
            elif sending.step in _OUTCOMES or sending.step is Step.AGAIN:
                yield from _end(work, sending)
                return True
            elif sending.step is Step.RECORD:
                yield from record(work, intent(sending.batch))
                sending.step = Step.SEND
            else:
                yield from _ask_store(work, sending)
        except (OSError, QuarantineFull) as error:
            sending.data = None
            yield from back_off(work, sending.retry, error)
    return False


def _remove_doubt(work: Work, sending: Sending) -> Steps[None]:
    """Make sure that the bytes are in their file for good, or that they are not."""
    yield SyncFile(work.config.path("intents"))
    if (yield from _read_bytes(work, sending.batch)) is None:
        sending.step = Step.AGAIN
    sending.doubtful = False


def _ask_store(work: Work, sending: Sending) -> Steps[None]:
    """Do one step at the store and follow the table."""
    asked = sending.step
    answer, error = yield from _PERFORM[asked](work, sending)
    sending.unknown = sending.unknown or makes_unknown(asked, answer)
    verdict = decide(asked, answer, unknown=sending.unknown)
    sending.step = verdict.step
    sending.conflicts += answer is Answer.CONFLICT
    if verdict.pause or (answer is Answer.CONFLICT and sending.conflicts > PATIENT_AFTER):
        sending.data = None  # it is read from its file when it goes on
        yield from back_off(work, sending.retry, error)
    elif verdict.step is Step.SHIPPED:
        work.succeeded(sending.retry)


def _send(work: Work, sending: Sending) -> Steps[tuple[Answer, Exception | None]]:
    batch, data = sending.batch, sending.data
    if data is None:
        data = yield from _read_bytes(work, batch)
        if data is None:
            return Answer.NO_BYTES, None
    info = yield from ask(work, AppendBlob(batch.path, data, batch.position, batch.id))
    if isinstance(info, Exception):
        return answer_of(info), info
    return Answer.YES, None


def _read_bytes(work: Work, batch: Batch) -> Steps[bytes | None]:
    """A batch's bytes from its file; None when it is missing or damaged.

    Raises:
        OSError: the disk does not give it now.
    """
    try:
        stored, data = decode_file((yield ReadFile(_bytes_path(work, batch))))
    except (FileNotFoundError, ModeltapError):
        return None
    return data if (stored.id, stored.sha256) == (batch.id, batch.sha256) else None


def _bytes_path(work: Work, batch: Batch) -> str:
    return work.config.path(f"intents/{batch.id}{SUFFIX}")


def _is_it_in(work: Work, sending: Sending) -> Steps[tuple[Answer, Exception | None]]:
    batch = sending.batch
    found = yield from ask(work, HoldsBatch(batch.path, batch.position, batch.length, batch.sha256, batch.id))
    if isinstance(found, Exception):
        return answer_of(found), found
    return (Answer.YES if found else Answer.NO), None


def _find(work: Work, sending: Sending) -> Steps[tuple[Answer, Exception | None]]:
    """Whether the file is still the one that the batch was made for, and where it ends now."""
    batch = sending.batch
    info = yield from ask(work, HeadBlob(batch.path))
    if isinstance(info, Exception):
        return answer_of(info), info
    if info is None or info.size < batch.position or info.metadata.get("schema") != batch.schema:
        return Answer.GONE, None
    sending.batch = batch.at(info.size)
    return Answer.THERE, None


_PERFORM = {
    Step.SEND: _send,
    Step.ASK: _is_it_in,
    Step.ASK_THEN_FIND: _is_it_in,
    Step.ASK_THEN_GIVE_UP: _is_it_in,
    Step.FIND: _find,
}


def _end(work: Work, sending: Sending) -> Steps[None]:
    """A batch is done with, one way or the other.

    Raises:
        OSError, QuarantineFull: not yet; called again, it goes on.
    """
    batch, step = sending.batch, sending.step
    if step is Step.AGAIN:
        yield from _withdraw(work, batch)
    else:
        outcome = _OUTCOMES[step]
        yield from _check_room(work, batch, step)
        if batch.id not in work.ledger.settled:
            yield from record(work, settled(batch, outcome))
        yield from clear_away(work, batch.id, outcome)
    _close(work, sending)
    if step is Step.SHIPPED:
        work.commits.append(
            Commit(batch.path, batch.schema, batch.total_rows, batch.length, batch.first_us, batch.last_us)
        )


def _check_room(work: Work, batch: Batch, step: Step) -> Steps[None]:
    if step is Step.SHIPPED or work.quarantine_used + batch.length <= work.config.quarantine_bytes:
        return
    # Somebody may have moved away what lay there.
    work.quarantine_used = sum((yield ListFolder(work.config.path("quarantine"))).values())
    if work.quarantine_used + batch.length > work.config.quarantine_bytes:
        raise QuarantineFull(
            f"setting aside a batch of {batch.path or batch.key.folder} that the store refuses: "
            f"{work.config.path('quarantine')} holds {work.quarantine_used} bytes, which is its bound; "
            "look at what lies there, move it away, and the rest follows"
        )


def clear_away(work: Work, identity: str, outcome: str) -> Steps[None]:
    """Take the bytes of a settled batch out of ``intents/``.

    Raises:
        OSError: the disk refuses; they lie there still.
    """
    path = work.config.path(f"intents/{identity}{SUFFIX}")
    if outcome == SHIPPED:
        yield UnlinkFile(path)
        return
    try:
        yield RenameFile(path, work.config.path(f"quarantine/{identity}.{outcome}{SUFFIX}"))
    except FileNotFoundError:
        return  # it was moved before
    yield SyncFile(work.config.path("quarantine"))


def _withdraw(work: Work, batch: Batch) -> Steps[None]:
    """The bytes go first: a file that nobody remembers would be taken for a batch on its way."""
    yield UnlinkFile(_bytes_path(work, batch))
    yield SyncFile(work.config.path("intents"))
    yield from record(work, withdrawn(batch.id))


def _close(work: Work, sending: Sending) -> None:
    """Forget a batch; its file's lane goes on."""
    batch, step = sending.batch, sending.step
    work.close_sending(sending)
    if step not in (Step.SHIPPED, Step.REFUSED):
        _leave_file(work, batch)
    if step is Step.AGAIN:
        _give_back(work, batch)
    if step in (Step.REFUSED, Step.UNDETERMINED):
        work.quarantine_used += batch.length
    target = _target_of(work, batch)
    if target is not None:
        target.position = batch.position + (batch.length if step is Step.SHIPPED else 0)
    groups = {group for found in batch.ranges.values() for group in found} & work.groups.keys()
    for lane in {work.groups[group].lane for group in groups}:
        work.read_again(lane)


def _target_of(work: Work, batch: Batch) -> Target | None:
    stream = work.streams.get((batch.key, batch.day))
    targets = stream.targets.values() if stream else ()
    return next((target for target in targets if target.path == batch.path), None)


def _leave_file(work: Work, batch: Batch) -> None:
    """The file is not the one it was: its other frames look again for where they go."""
    target = _target_of(work, batch)
    if target is not None:
        leave(work, target)


def _give_back(work: Work, batch: Batch) -> None:
    """The frames of a batch that is certainly not in wait again."""
    for name, groups in batch.ranges.items():
        segment = work.segments.get(name)
        if segment is None:
            continue
        for group in groups:
            segment.taken[group] = work.ledger.done.get(name, {}).get(group, 0)
        work.rewind(segment, min(start for start, _ in groups.values()))
