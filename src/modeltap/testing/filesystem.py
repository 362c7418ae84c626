"""``FaultyFilesystem``: a disk under the spool that fails, tears, slows down or fills up at a chosen call."""

from __future__ import annotations

import os
from collections.abc import Callable

from modeltap.spool.filesystem import Filesystem, LocalFilesystem


class FaultyFilesystem:
    """A real file system whose k-th call goes wrong. See ``modeltap.spool.filesystem.Filesystem``.

    Attributes:
        calls: the verbs that were asked for so far, in order.
        before: called with the verb before each call; may raise, or let a clock advance.
    """

    def __init__(
        self,
        fail_at: int = -1,
        number: int = 0,
        *,
        verb: str = "",
        for_ever: bool = False,
        short: bool = False,
        before: Callable[[str], object] = str,
        filesystem: Filesystem | None = None,
    ) -> None:
        """Choose the call and the fault.

        Args:
            fail_at: 0 for the first call; negative for none.
            number: the error of the operating system (``errno.ENOSPC`` ...); 0 for none.
            verb: count only the calls of this verb; empty: all.
            for_ever: fail every call from there on, until ``mend``.
            short: a write that fails takes its first half before; with ``number`` 0 that is all that happens.
            before: see the attribute.
            filesystem: the one below; the real one if not given.
        """
        self.calls: list[str] = []
        self.before = before
        self._fail_at = fail_at
        self._number = number
        self._verb = verb
        self._for_ever = for_ever
        self._short = short
        self._counted = 0
        self._real = filesystem or LocalFilesystem()

    def mend(self) -> None:
        """From now on nothing fails."""
        self._fail_at = -1

    def open(self, path: str, *, exclusive: bool, mode: int = 0o600) -> int:
        """See ``Filesystem``."""
        self._call("open")
        return self._real.open(path, exclusive=exclusive, mode=mode)

    def write(self, handle: int, data: bytes) -> int:
        """See ``Filesystem``."""
        if not self._is_due("write"):
            return self._real.write(handle, data)
        written = self._real.write(handle, data[: len(data) // 2]) if self._short else 0
        self._fail()
        return written

    def sync(self, path: str) -> None:
        """See ``Filesystem``."""
        self._call("sync")
        self._real.sync(path)

    def close(self, handle: int) -> None:
        """See ``Filesystem``; as on a real disk the handle is gone even when the call fails."""
        due = self._is_due("close")
        self._real.close(handle)
        if due:
            self._fail()

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """See ``Filesystem``."""
        self._call("read")
        return self._real.read(path, start, length)

    def list(self, path: str) -> dict[str, int]:
        """See ``Filesystem``."""
        self._call("list")
        return self._real.list(path)

    def rename(self, old: str, new: str) -> None:
        """See ``Filesystem``."""
        self._call("rename")
        self._real.rename(old, new)

    def unlink(self, path: str) -> None:
        """See ``Filesystem``."""
        self._call("unlink")
        self._real.unlink(path)

    def _call(self, verb: str) -> None:
        if self._is_due(verb):
            self._fail()

    def _is_due(self, verb: str) -> bool:
        self.calls.append(verb)
        self.before(verb)
        if self._verb not in ("", verb):
            return False
        at, self._counted = self._counted, self._counted + 1
        return at == self._fail_at or (self._for_ever and 0 <= self._fail_at <= at)

    def _fail(self) -> None:
        if self._number:
            raise OSError(self._number, os.strerror(self._number))
