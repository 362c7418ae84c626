"""Flush: everything that stands in a spool now is shipped, with or without an agent."""

from __future__ import annotations

import os
import time

from modeltap.agent.process import Agent
from modeltap.core.settings import Settings, resolve
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.locks import is_locked
from modeltap.spool.progress import request_flush, segments_of, unshipped, wait_until_shipped

LOOK_SECONDS = 0.5
"""So often it is made sure that an agent is still there."""


def flush(root: str, store: str, timeout_seconds: float) -> bool:
    """Ship what waits in a spool; an agent that runs does it, else this process.

    Args:
        root: the folder that ``MODELTAP_SPOOL`` names.
        store: the store's URL.
        timeout_seconds: how long at most.

    Returns:
        Whether everything that was in the spool when this began is shipped.

    Raises:
        SpoolRefused, FormatTooNew, OSError: the spool cannot be used.
        SettingsError: the store's URL names no store that this version has.
    """
    deadline = time.monotonic() + timeout_seconds
    settings = resolve({**os.environ, "MODELTAP_SPOOL": root, "MODELTAP_STORE": store})
    spool = SpoolDirectory.open(settings.spool, settings.store, group=settings.spool_group)
    segments = segments_of(spool)
    request_flush(spool)
    while unshipped(spool, segments):
        rest = deadline - time.monotonic()
        if rest <= 0:
            return False
        if not is_locked(spool.agent_lock):
            _ship_here(spool, settings, rest)
        wait_until_shipped(spool, segments, min(rest, LOOK_SECONDS))
    return True


def _ship_here(spool: SpoolDirectory, settings: Settings, timeout_seconds: float) -> None:
    """Be the agent until all is shipped that can be, unless there is one already."""
    agent = Agent(spool, settings, drain=True)
    if agent.lock(tries=1):
        agent.control.stop(timeout_seconds)
        agent.run()
