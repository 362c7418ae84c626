"""What happens to a batch when the store says X: one table, pure.

A batch is on its way in one of a few steps. Each step asks one thing; the answer leads to the next step::

    RECORD ──▶ SEND ──▶ SHIPPED
                │ ▲
        unknown │ │ no             ASK              "is it in?" after an unknown answer
                ▼ │
               ASK ... yes ──▶ SHIPPED

    conflict ──▶ ASK_THEN_FIND ... no ──▶ FIND ... there ──▶ RECORD (same identity, new position) ──▶ SEND
    refused  ──▶ ASK_THEN_GIVE_UP ... no ──▶ REFUSED (set aside, replayable)

Promises: an answer speaks only of the send that it answers, so the store is asked "is it in?" before
anything about the batch changes; a batch whose outcome was ever unknown is never sent again to a file
that is not the one it was sent to.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from modeltap.errors import Conflict, StoreDenied, StoreRefused


class Step(Enum):
    """What is done with a batch next."""

    RECORD = "write the intent into the ledger"
    SEND = "append at the recorded position"
    ASK = "is it in? else send again"
    ASK_THEN_FIND = "is it in? else find the file's end"
    ASK_THEN_GIVE_UP = "is it in? else set it aside"
    FIND = "read the head of the file"
    SHIPPED = "it is in: settle"
    REFUSED = "the store will never take it: set aside"
    UNDETERMINED = "its file vanished while the outcome was unknown: set aside"
    AGAIN = "it is certainly not in: its frames go into a new batch"


class Answer(Enum):
    """What came back, as far as it matters."""

    YES = "done, or it is in"
    NO = "it is not in"
    THERE = "the file is there, at least as long as it was"
    GONE = "the file is absent, shorter, or another one"
    NO_BYTES = "the bytes of the batch are missing or damaged on our own disk"
    UNKNOWN = "timeout, reset, 408, 429, 5xx, or an error that nobody knows"
    DENIED = "credentials or rights"
    CONFLICT = "a condition failed"
    REFUSED = "never"


class Verdict(NamedTuple):
    """The next step.

    Attributes:
        step: what to do.
        pause: back off first; other files go on.
    """

    step: Step
    pause: bool = False


_S, _A = Step, Answer
TABLE: dict[tuple[Step, Answer], Verdict] = {
    (_S.SEND, _A.YES): Verdict(_S.SHIPPED),
    (_S.SEND, _A.UNKNOWN): Verdict(_S.ASK, pause=True),
    (_S.SEND, _A.DENIED): Verdict(_S.ASK, pause=True),
    (_S.SEND, _A.CONFLICT): Verdict(_S.ASK_THEN_FIND),
    (_S.SEND, _A.REFUSED): Verdict(_S.ASK_THEN_GIVE_UP),
    # Only after the store said no: the frames are still in their segments, which outlive the batch.
    (_S.SEND, _A.NO_BYTES): Verdict(_S.AGAIN),
    (_S.ASK, _A.YES): Verdict(_S.SHIPPED),
    (_S.ASK, _A.NO): Verdict(_S.SEND),
    (_S.ASK, _A.UNKNOWN): Verdict(_S.ASK, pause=True),
    (_S.ASK, _A.DENIED): Verdict(_S.ASK, pause=True),
    (_S.ASK, _A.CONFLICT): Verdict(_S.FIND),
    (_S.ASK, _A.REFUSED): Verdict(_S.REFUSED),
    (_S.ASK_THEN_FIND, _A.YES): Verdict(_S.SHIPPED),
    (_S.ASK_THEN_FIND, _A.NO): Verdict(_S.FIND),
    (_S.ASK_THEN_FIND, _A.UNKNOWN): Verdict(_S.ASK_THEN_FIND, pause=True),
    (_S.ASK_THEN_FIND, _A.DENIED): Verdict(_S.ASK_THEN_FIND, pause=True),
    (_S.ASK_THEN_FIND, _A.CONFLICT): Verdict(_S.FIND),
    (_S.ASK_THEN_FIND, _A.REFUSED): Verdict(_S.REFUSED),
    (_S.ASK_THEN_GIVE_UP, _A.YES): Verdict(_S.SHIPPED),
    (_S.ASK_THEN_GIVE_UP, _A.NO): Verdict(_S.REFUSED),
    (_S.ASK_THEN_GIVE_UP, _A.UNKNOWN): Verdict(_S.ASK_THEN_GIVE_UP, pause=True),
    (_S.ASK_THEN_GIVE_UP, _A.DENIED): Verdict(_S.ASK_THEN_GIVE_UP, pause=True),
    (_S.ASK_THEN_GIVE_UP, _A.CONFLICT): Verdict(_S.REFUSED),
    (_S.ASK_THEN_GIVE_UP, _A.REFUSED): Verdict(_S.REFUSED),
    (_S.FIND, _A.THERE): Verdict(_S.RECORD),
    (_S.FIND, _A.GONE): Verdict(_S.AGAIN),
    (_S.FIND, _A.UNKNOWN): Verdict(_S.FIND, pause=True),
    (_S.FIND, _A.DENIED): Verdict(_S.FIND, pause=True),
    (_S.FIND, _A.CONFLICT): Verdict(_S.FIND, pause=True),
    (_S.FIND, _A.REFUSED): Verdict(_S.REFUSED),
}
"""Every question with every answer to it. ``GONE`` reads UNDETERMINED when an outcome was ever unknown."""


def decide(asked: Step, answer: Answer, *, unknown: bool) -> Verdict:
    """Say what follows from an answer.

    Args:
        asked: the step that was done.
        answer: what came back.
        unknown: whether the outcome of any send of this batch was ever unknown; a batch that was open
            when the shipper started is.
    """
    verdict = TABLE[asked, answer]
    if answer is Answer.GONE and unknown:
        return Verdict(Step.UNDETERMINED)
    return verdict


def answer_of(error: Exception) -> Answer:
    """Read an error of the store; what is not known is unknown."""
    if isinstance(error, StoreDenied):
        return Answer.DENIED
    if isinstance(error, Conflict):
        return Answer.CONFLICT
    if isinstance(error, StoreRefused):
        return Answer.REFUSED
    return Answer.UNKNOWN


def makes_unknown(asked: Step, answer: Answer) -> bool:
    """Whether from now on the batch may be in, or may come in later."""
    return asked is Step.SEND and answer is Answer.UNKNOWN
