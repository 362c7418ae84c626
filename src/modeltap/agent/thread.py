"""The agent on a thread of the scoring process (``MODELTAP_SHIPPER=thread``).

Promises: the same agent under the same lock, so of several scoring processes one ships for all and another takes
over when it ends; never waited for without a bound; a forked child has no such thread and starts its own.
"""

from __future__ import annotations

import logging
import threading

from modeltap.agent.process import Agent
from modeltap.core.settings import Settings
from modeltap.spool.directory import SpoolDirectory

TAKE_OVER_SECONDS = 1.0
CLOSE_SECONDS = 5.0
_MARGIN_SECONDS = 1.0

log = logging.getLogger("modeltap.agent")


class ShipperThread:
    """Owns the thread. Close it to end it."""

    def __init__(self, settings: Settings, spool: SpoolDirectory) -> None:
        self._settings = settings
        self._spool = spool
        self._agent: Agent | None = None
        self._ending = threading.Event()
        self._starting = threading.Lock()
        self._grace = CLOSE_SECONDS
        self._thread = threading.Thread(target=self._run, name="modeltap-shipper", daemon=True)

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: the interpreter is ending.
        """
        self._thread.start()

    def close(self, timeout_seconds: float = CLOSE_SECONDS) -> None:
        """Ship what is there for at most so long, then end; idempotent."""
        with self._starting:
            self._grace = timeout_seconds
            self._ending.set()
            if self._agent is not None:
                self._agent.control.stop(timeout_seconds)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds + _MARGIN_SECONDS)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._ship()
            except Exception as error:  # noqa: BLE001  the thread is all there is to ship; it tries again
                log.warning("shipping on a thread: %r; rows wait in the spool, trying again", error)
            self._ending.wait(TAKE_OVER_SECONDS)

    def _ship(self) -> None:
        agent = Agent(self._spool, self._settings)
        if not agent.lock(tries=1):
            return
        with self._starting:
            self._agent = agent
            if self._ending.is_set():
                agent.control.stop(self._grace)
        try:
            agent.run()
        finally:
            self._agent = None


def start(settings: Settings, spool: SpoolDirectory) -> ShipperThread:
    """Start shipping a spool on a thread of this process.

    Args:
        settings: of this process.
        spool: where its rows are.

    Returns:
        What ends it: ``close(timeout_seconds)``.
    """
    thread = ShipperThread(settings, spool)
    thread.start()
    return thread
