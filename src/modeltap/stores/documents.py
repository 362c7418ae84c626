"""Documents on a local disk: small files, replaced as a whole under the lock of their folder.

A document is written beside its place (``modeltap.stores.paths.UNFINISHED``), synced, renamed, and its
folder synced. A writer that dies in the middle leaves at most that one unfinished file in a folder, which
the next ``put`` there writes over.

Two documents of one path never have the same instant of change: where the clock (or the file system's
resolution) would repeat it, it is moved on. So ``(instant, size)`` is an ETag that needs no reading.
"""

from __future__ import annotations

import os

from modeltap.errors import Conflict, StoreRefused, StoreUnavailable
from modeltap.stores.base import Info
from modeltap.stores.disk import Disk, write_all
from modeltap.stores.locks import file_locks, locked
from modeltap.stores.paths import UNFINISHED
from modeltap.stores.standing import Standing, look_by_name, plain_stat, read_record, whole_info
from modeltap.stores.tree import Place, Tree

_TICKS_NS = (1, 100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)
"""Resolutions of file systems, from ext4 to FAT."""


class Documents:
    """Puts the documents of one folder."""

    def __init__(self, tree: Tree, disk: Disk, lock_wait_seconds: float) -> None:
        self._tree = tree
        self._disk = disk
        self._lock_wait_seconds = lock_wait_seconds

    def put(self, place: Place, data: bytes, if_match: str | None) -> Info:
        """See ``modeltap.stores.base.Store.put``."""
        file_locks(place.thing)
        mode = self._tree.modes()[1]
        there = self._tree.make_parents(place.data)
        folder = os.open(os.path.dirname(place.data), os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            with locked(folder, place.thing, self._lock_wait_seconds):
                current = look_by_name(place)
                _demand(place, current, if_match)
                info = self._replace(place, data, mode)
                if current is None:
                    self._tree.sync_parents(place.data, there)
                else:
                    self._disk.sync_folder(os.path.dirname(place.data))
                return info
        finally:
            os.close(folder)

    def _replace(self, place: Place, data: bytes, mode: int) -> Info:
        temporary = os.path.join(os.path.dirname(place.data), UNFINISHED)
        handle = self._disk.make_file(temporary, mode, exclusive=False)
        try:
            self._disk.truncate(handle, 0)
            write_all(self._disk, handle, data, 0)
            self._stamp(place, handle)
            self._disk.sync(handle)
            found = os.fstat(handle)
        finally:
            os.close(handle)
        self._disk.rename(temporary, place.data)
        return whole_info(place, found)

    def _stamp(self, place: Place, handle: int) -> None:
        """Make sure that the document is later than the one whose place it takes."""
        before = plain_stat(place.data)
        if before is None:
            return
        for tick in _TICKS_NS:
            if os.fstat(handle).st_mtime_ns > before.st_mtime_ns:
                return
            self._disk.stamp(handle, before.st_mtime_ns + tick)
        if os.fstat(handle).st_mtime_ns <= before.st_mtime_ns:
            raise StoreUnavailable(f"putting {place.thing}: the file system keeps no instants of change; use another")


def _demand(place: Place, current: Standing | None, if_match: str | None) -> None:
    """Raise unless a document may be put in the place of what stands there."""
    if os.path.lexists(place.data) and plain_stat(place.data) is None:
        raise StoreRefused(f"putting {place.thing}: something that is no plain file stands there; move it away")
    if read_record(place) is not None:
        raise Conflict(f"putting {place.thing}: a data file stands there or is being made; documents go elsewhere")
    if if_match is not None and if_match != (current.info.etag if current else ""):
        raise Conflict(f"putting {place.thing}: {_found(current)}, not what was demanded; read it and decide again")


def _found(current: Standing | None) -> str:
    return f"a document with ETag {current.info.etag} stands there" if current else "nothing stands there"
