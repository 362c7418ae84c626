"""``ManualClock``: time that passes when a test says so."""

from __future__ import annotations


class ManualClock:
    """Call it for nanoseconds, like ``time.monotonic_ns``; it stands still until ``advance``."""

    def __init__(self, nanoseconds: int = 1) -> None:
        self.nanoseconds = nanoseconds

    def __call__(self) -> int:
        """Nanoseconds of now."""
        return self.nanoseconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.nanoseconds += round(seconds * 1e9)
