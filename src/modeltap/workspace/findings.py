"""What an examination finds: a level, a sentence, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        level: ``ok``; ``note`` (nothing to do); ``warning`` (rows may be lost or late one day);
            ``problem`` (rows do not arrive).
        topic: ``settings``, ``switch``, ``store``, ``spool``, ``agent``, ``writers``, ``rows`` or ``self-test``.
        sentence: what is the case.
        remedy: what the user can do, or empty.
    """

    level: str
    topic: str
    sentence: str
    remedy: str = ""
