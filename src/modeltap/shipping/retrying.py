"""What fails is tried again: pauses, and the question to the store.

Promises: after a failure a pause with full jitter (up to 0.25 s, doubling to 60 s at most; the store's own
``Retry-After`` is obeyed) while everything else goes on; after an outage of more than 5 s the first success
brings the others forward, so a backlog does not wait for pauses that have lost their reason.
"""

from __future__ import annotations

import errno
from typing import Any

from modeltap.errors import Conflict, StoreRefused
from modeltap.shipping.effects import Draw, Now, Steps, StoreEffect, UnlinkFile
from modeltap.shipping.state import Retry
from modeltap.shipping.work import Work

RESERVE = "reserve"
"""The file that is given up when the disk is full."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 60.0
SHORTEST_PAUSE_SECONDS = 0.02
OUTAGE_SECONDS = 5.0
THAW_SECONDS = 0.05
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


def ask(work: Work, effect: StoreEffect) -> Steps[Any]:
    """Ask the store; gives its result, or the error that it raised as a value."""
    try:
        result = yield effect
    except Exception as error:  # noqa: BLE001  whatever a backend raises, rows wait and the others go on
        if work.outage_since < 0 and not isinstance(error, Conflict | StoreRefused):  # those are answers
            work.outage_since = work.now
        return error
    if 0 <= work.outage_since < work.now - OUTAGE_SECONDS:
        for number, retry in enumerate(work.problems):
            retry.until = retry.until if retry.firm else min(retry.until, work.now + THAW_SECONDS * (number + 1))
    work.outage_since = -1.0
    return result


def back_off(work: Work, retry: Retry, error: object) -> Steps[None]:
    """Note a failure and when to try again; never fails itself."""
    retry.attempts += 1
    ceiling = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(retry.attempts, 16))
    jitter = int.from_bytes((yield Draw(4)), "big") / 2**32
    asked_for = getattr(error, "retry_after_seconds", None) or 0.0
    retry.firm = asked_for > 0
    work.now = yield Now()
    retry.until = work.now + max(ceiling * jitter, asked_for, SHORTEST_PAUSE_SECONDS)
    work.problems.pop(retry, None)
    work.problems[retry] = str(error) or repr(error)
    if isinstance(error, OSError) and error.errno in FULL_DISK and not work.disk_full:
        work.disk_full = True
        try:
            yield UnlinkFile(work.config.path(RESERVE))
        except OSError:
            return  # there is no more that could be done; the pause is noted
