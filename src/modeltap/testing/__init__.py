"""Doubles for tests of what is built on modeltap: real behaviour, no network, faults on demand."""

from __future__ import annotations

from modeltap.testing.disk import Crash, FaultyDisk
from modeltap.testing.memory import MemoryStore

__all__ = ["Crash", "FaultyDisk", "MemoryStore"]
