"""Instants as text: UTC, ISO 8601, microseconds, no offset, as the original wrote them."""

from __future__ import annotations

from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  the text has no offset
MICROSECONDS_PER_DAY = 86_400_000_000

_second: tuple[int, str] = (0, "1970-01-01T00:00:00.")
"""The last second and its text: within it only six digits change. Replaced whole, so threads agree."""


def instant_text(microseconds: int) -> str:
    """``2026-11-22T21:39:52.656442`` for microseconds since 1970-01-01 UTC."""
    global _second
    second, rest = divmod(microseconds, 1_000_000)
    known, text = _second
    if second != known:
        text = f"{(EPOCH + timedelta(seconds=second)).isoformat()}."
        _second = (second, text)
    return text + str(rest + 1_000_000)[1:]  # half the price of a format with leading zeros


def parse_instant(text: str) -> int:
    """Microseconds since 1970-01-01 UTC of an ISO 8601 text; without an offset it is UTC.

    Raises:
        ValueError: it is no instant.
    """
    moment = datetime.fromisoformat(text)
    since = moment.replace(tzinfo=None) - EPOCH - (moment.utcoffset() or timedelta(0))
    return since // timedelta(microseconds=1)
