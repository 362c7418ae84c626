"""Doubles for tests of what is built on modeltap: real behaviour, no network, faults on demand."""

from __future__ import annotations

from modeltap.testing.clock import ManualClock
from modeltap.testing.disk import Crash, FaultyDisk
from modeltap.testing.filesystem import FaultyFilesystem
from modeltap.testing.memory import MemoryStore

__all__ = ["Crash", "FaultyDisk", "FaultyFilesystem", "ManualClock", "MemoryStore"]
