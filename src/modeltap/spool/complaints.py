"""Complaints: what went wrong where predictions are made, said elsewhere, once per reason and minute.

Promises: noting one takes no lock and writes nothing; at most 256 reasons wait to be told, further ones are
let go of (they are counted, as rows, by whoever notes them).
"""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_NANOSECONDS = 60_000_000_000
MAX_REASONS = 256


class Complaints:
    """Sentences that wait to be logged."""

    def __init__(self, say: Callable[[str], object], clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Begin with nothing to tell.

        Args:
            say: logs a sentence; it may block.
            clock_ns: a monotonic clock.
        """
        self._say = say
        self._clock_ns = clock_ns
        self._waiting: dict[str, str] = {}
        self._told: dict[str, int] = {}

    def note(self, reason: str, text: str) -> None:
        """Keep a sentence to be told, unless one waits for the same reason."""
        if len(self._waiting) < MAX_REASONS:
            self._waiting.setdefault(reason, text)

    def tell(self) -> None:
        """Say the sentences whose reason was not told within the last minute."""
        now = self._clock_ns()
        self._told = {reason: at for reason, at in self._told.items() if now - at < PAUSE_NANOSECONDS}
        for reason in list(self._waiting):
            text = self._waiting.pop(reason, None)
            if text is not None and reason not in self._told:
                self._told[reason] = now
                self._say(text)
