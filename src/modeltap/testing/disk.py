"""``FaultyDisk``: a disk under the local store that fails, or ends its process, before a chosen step."""

from __future__ import annotations

import os
from collections.abc import Callable

from modeltap.stores.disk import Disk, LocalDisk


class Crash(BaseException):
    """The process ended here. No ``Exception``: nothing that handles errors may handle its own end."""


class FaultyDisk:
    """A real disk on which the k-th changing step goes wrong. See ``modeltap.stores.disk.Disk``.

    Attributes:
        steps: the names of the verbs that were asked for so far, in order.
    """

    def __init__(
        self,
        fail_at: int = -1,
        error: Callable[[], BaseException] = Crash,
        *,
        for_ever: bool = False,
        torn: bool = False,
        disk: Disk | None = None,
    ) -> None:
        """Choose the step and the fault.

        Args:
            fail_at: 0 for the first step; negative for none.
            error: makes what is raised instead of doing the step.
            for_ever: fail every step from there on, not only that one.
            torn: a write that fails writes its first half before.
            disk: the disk below; the real one if not given.
        """
        self.steps: list[str] = []
        self._fail_at = fail_at
        self._error = error
        self._for_ever = for_ever
        self._torn = torn
        self._disk = disk or LocalDisk()

    @classmethod
    def with_errno(cls, fail_at: int, number: int, *, for_ever: bool = False) -> FaultyDisk:
        """A disk whose k-th step raises an error of the operating system."""
        return cls(fail_at, lambda: OSError(number, os.strerror(number)), for_ever=for_ever)

    def make_folder(self, path: str, mode: int) -> bool:
        """See ``Disk``."""
        self._step("make_folder")
        return self._disk.make_folder(path, mode)

    def make_file(self, path: str, mode: int, *, exclusive: bool) -> int:
        """See ``Disk``."""
        self._step("make_file")
        return self._disk.make_file(path, mode, exclusive=exclusive)

    def write(self, handle: int, data: bytes | memoryview, position: int) -> int:
        """See ``Disk``."""
        if self._is_due() and self._torn:
            self._disk.write(handle, data[: len(data) // 2], position)
        self._step("write")
        return self._disk.write(handle, data, position)

    def truncate(self, handle: int, length: int) -> None:
        """See ``Disk``."""
        self._step("truncate")
        self._disk.truncate(handle, length)

    def sync(self, handle: int) -> None:
        """See ``Disk``."""
        self._step("sync")
        self._disk.sync(handle)

    def sync_folder(self, path: str) -> None:
        """See ``Disk``."""
        self._step("sync_folder")
        self._disk.sync_folder(path)

    def stamp(self, handle: int, mtime_ns: int) -> None:
        """See ``Disk``."""
        self._step("stamp")
        self._disk.stamp(handle, mtime_ns)

    def rename(self, old: str, new: str) -> None:
        """See ``Disk``."""
        self._step("rename")
        self._disk.rename(old, new)

    def _is_due(self) -> bool:
        number = len(self.steps)
        return number == self._fail_at or (self._for_ever and 0 <= self._fail_at <= number)

    def _step(self, name: str) -> None:
        due = self._is_due()
        self.steps.append(name)
        if due:
            raise self._error()
