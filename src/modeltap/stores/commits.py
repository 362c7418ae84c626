"""The commit decision for stores that write at positions: pure, and the same in memory and on disk.

A data file is a row of commits, each ``[start, end)`` with the identity of its batch; the first one is the
header. A store remembers at least the last ``REMEMBERED`` of them. For those, identity decides: two
writers whose batches happen to have equal bytes are told apart, and a batch that is in is in, wherever it
is sent again. A batch that begins before all that is remembered is recognised by its bytes: rows carry ids
that no two batches share.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from hashlib import sha256
from typing import NamedTuple

REMEMBERED = 32
"""Commits whose batches are known by identity: more than the writers that share one file on one disk."""
IDENTITY_BYTES = 16
HEADER_IDENTITY = bytes(IDENTITY_BYTES)


class Commit(NamedTuple):
    """One committed stretch of a data file: ``[start, end)``, and the identity of its batch."""

    generation: int
    start: int
    end: int
    identity: bytes


class Step(Enum):
    """What to do with a batch that is sent to a position."""

    WRITE = "it is not in, and its position is the next one"
    COMPARE = "it is in if the committed bytes there are its own"
    CONFLICT = "it is not in, and its position is not the next one, or its identity is taken"


class Decision(NamedTuple):
    """A step, and the position in the file at which to take it."""

    step: Step
    position: int


def batch_identity(batch_id: str) -> bytes:
    """The 16 bytes that stand for a batch id in a commit record."""
    return sha256(batch_id.encode("utf-8", "surrogatepass")).digest()[:IDENTITY_BYTES]


def decide(commits: Iterable[Commit], committed: int, position: int, length: int, identity: bytes) -> Decision:
    """Judge a batch ``[position, position + length)`` against what is committed.

    Args:
        commits: the last commits in order, without gaps; empty when none is known.
        committed: bytes committed.
        position: where the batch is to begin.
        length: its bytes.
        identity: its ``batch_identity``.
    """
    known_from = committed
    for commit in commits:
        known_from = min(known_from, commit.start)
        if commit.identity == identity:
            whole = commit.end - commit.start == length
            return Decision(Step.COMPARE if whole else Step.CONFLICT, commit.start)
    if position == committed:
        return Decision(Step.WRITE, position)
    is_known_to_be_others = position >= known_from or position + length > committed
    return Decision(Step.CONFLICT if is_known_to_be_others else Step.COMPARE, position)


def conflict_text(path: str, committed: int, position: int, length: int) -> str:
    """The sentence of a Conflict between a batch and what is committed."""
    return (
        f"appending {length} bytes at {position} to {path}: {committed} bytes are committed, and the batch is not in; "
        "read the file's head again and decide again"
    )
