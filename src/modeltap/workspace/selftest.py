"""A row of the doctor's own takes the whole road: spool, agent, store, and back.

It stands in ``modeltap/doctor/...``, beside the data, so no reader of ``modeldata/`` ever meets it. Where
this user has no spool yet, a temporary one is used and shipped by a thread, so that nothing is made that
a service would have to share.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from dataclasses import replace

from modeltap.core.instants import MICROSECONDS_PER_DAY
from modeltap.core.key import TRIAL_TREE, CollectionKey, day_of
from modeltap.core.schema import STRING, Schema
from modeltap.core.settings import Settings
from modeltap.errors import ModeltapError
from modeltap.runtime import Runtime
from modeltap.spool.frame import FIXED, NO_ROW, Descriptor
from modeltap.stores.base import Store
from modeltap.workspace.findings import OK, PROBLEM, Finding
from modeltap.workspace.rows import last_rows

TIMEOUT_SECONDS = 20.0
"""Longer than an agent takes to start, shorter than a person waits."""
RECENT_ROWS = 100
_SCHEMA = Schema((("token", STRING),))


def run_self_test(store: Store, settings: Settings, *, has_spool: bool) -> Finding:
    """Send a row and read it back.

    Args:
        store: where it must arrive.
        settings: as resolved; whether collecting is on does not count here.
        has_spool: whether this user has a spool for the store.
    """
    settings = replace(settings, disabled=False, durability="process")
    if has_spool:
        return _travel(store, settings)
    with tempfile.TemporaryDirectory(prefix="modeltap-doctor-") as folder:
        return _travel(store, replace(settings, spool=os.path.join(folder, "spool"), shipper="thread"))


def _travel(store: Store, settings: Settings) -> Finding:
    runtime = Runtime(settings)
    started = time.monotonic()
    try:
        runtime.start()
        key, token = (
            CollectionKey(*settings.workspace, "doctor", "self-test", "1", "rows", tree=TRIAL_TREE),
            secrets.token_hex(8),
        )
        day, refusal = _put(runtime, key, token)
        if refusal:
            return Finding(PROBLEM, "self-test", f"a row could not be spooled: {refusal}", "see the findings above")
        if not runtime.flush(TIMEOUT_SECONDS, durable=False):
            return Finding(
                PROBLEM,
                "self-test",
                f"a row is in the spool, but was not shipped within {TIMEOUT_SECONDS:g} s",
                f"see {runtime.directory.agent_log}" if runtime.directory else "",
            )
        infos = list(store.list(key.day_folder(day_of(day)) + "/"))
        if not any(row.get("token") == token for row in last_rows(store, infos, RECENT_ROWS)):
            return Finding(PROBLEM, "self-test", f"a row was shipped, but {store.url} does not have it")
    except (ModeltapError, OSError) as error:
        return Finding(PROBLEM, "self-test", f"{error}")
    finally:
        runtime.close()
    seconds = time.monotonic() - started
    return Finding(OK, "self-test", f"a row was spooled, shipped and read back within {seconds:.1f} s")


def _put(runtime: Runtime, key: CollectionKey, token: str) -> tuple[int, str]:
    """Write the row; gives its day and why it was refused, or nothing."""
    now_us = time.time_ns() // 1000
    day, identity = now_us // MICROSECONDS_PER_DAY, token.encode()
    fixed = FIXED.pack(0, now_us, day, 1, NO_ROW, 100.0, 0, len(identity), 0, 0)
    if runtime.writer is None:
        return day, runtime.problem or "the spool cannot be opened"
    body = fixed + identity + json.dumps([token]).encode()
    return day, runtime.writer.put(Descriptor(key, _SCHEMA, "cells"), body, 1) or ""
