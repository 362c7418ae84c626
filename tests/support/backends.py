"""The stores that the conformance suite runs on: how to open one, and how to write to it from several places.

A further store is one more class here and one more name in ``BACKENDS``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from modeltap.stores.base import Store
from modeltap.stores.urls import open_store
from modeltap.testing import MemoryStore
from support import appending

SECONDS = 60


class Backend(Protocol):
    """One empty store."""

    def open(self) -> Store:
        """Open it, as another process would."""

    def append_together(self, path: str, writers: list[str], batches: int) -> None:
        """Let several writers append to one file at the same time, each all of its batches."""


class Memory:
    """Its writers are threads."""

    def __init__(self, folder: Path) -> None:
        self._store = MemoryStore(folder.name)

    def open(self) -> Store:
        return self._store

    def append_together(self, path: str, writers: list[str], batches: int) -> None:
        with ThreadPoolExecutor(len(writers)) as pool:
            jobs = [pool.submit(appending.append_all, self._store, path, writer, batches) for writer in writers]
            for job in jobs:
                job.result(SECONDS)


class Local:
    """Its writers are processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "store"

    def open(self) -> Store:
        return open_store(str(self.folder))

    def append_together(self, path: str, writers: list[str], batches: int) -> None:
        children = [self.start_writer(path, writer, batches) for writer in writers]
        try:
            for child in children:
                _, said = child.communicate(timeout=SECONDS)
                assert child.returncode == 0, said.decode()
        finally:
            for child in children:
                child.kill()

    def start_writer(self, path: str, writer: str, batches: int) -> subprocess.Popen[bytes]:
        """Start a writer that remembers where it is, so that it may be killed and started again."""
        intent = self.folder.parent / f"{writer}.intent"
        arguments = [str(self.folder), path, writer, str(batches), str(intent)]
        return subprocess.Popen(
            [sys.executable, appending.__file__, *arguments],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def _environment() -> dict[str, str]:
    source = str(Path(__file__).resolve().parents[2] / "src")
    return {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}


BACKENDS = {"memory": Memory, "local": Local}
