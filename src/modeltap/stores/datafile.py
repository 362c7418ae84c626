"""The commit protocol of one data file on a local disk.

The position file (``modeltap.stores.position``) is both the commit record and the lock (``flock``). What a
step leaves behind when its process dies there:

====================================================  ==================================================
step of ``create``                                    left behind
====================================================  ==================================================
1  what a dead creator left is cut to zero, synced    zero bytes: absent
2  position file: header line and metadata, synced    a record without a commit: absent
3  header line into the data file, synced             absent, as long as nothing but that line is there
4  the first commit into its slot, synced             the file
====================================================  ==================================================

====================================================  ==================================================
step of ``append``                                    left behind
====================================================  ==================================================
1  what a dead writer left behind the commit is cut   the committed bytes
2  the batch behind the committed bytes, synced       a torn or whole tail that is not committed
3  the commit into the next slot, synced              the batch is in
====================================================  ==================================================

A tail that is not committed is always cut and written again, even if its bytes are the right ones: after a
failed sync the page cache shows bytes that the disk may never get. For the same reason a batch that is in
already has its slots written and synced once more before anybody is told so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from modeltap.errors import Conflict, StoreRefused
from modeltap.stores.base import Info
from modeltap.stores.commits import (
    HEADER_IDENTITY,
    Commit,
    Step,
    batch_identity,
    conflict_text,
    decide,
)
from modeltap.stores.disk import Disk, open_to_read, open_to_write, read_at, write_all
from modeltap.stores.locks import file_locks, locked
from modeltap.stores.paths import POSITIONS
from modeltap.stores.position import SLOTS_START, Record, encode_commit, encode_record
from modeltap.stores.standing import Standing, info_of_data, look, look_by_name, plain_stat, read_open_record
from modeltap.stores.tree import Place, Tree

_DIGESTED_BYTES = 1 << 20


class _Open(NamedTuple):
    """A data file under its lock: the handles of both files, and what is committed."""

    place: Place
    data: int
    position: int
    record: Record


class DataFiles:
    """Creates and grows the data files of one folder."""

    def __init__(self, tree: Tree, disk: Disk, lock_wait_seconds: float) -> None:
        self._tree = tree
        self._disk = disk
        self._lock_wait_seconds = lock_wait_seconds

    def create(self, place: Place, header: bytes, metadata: Mapping[str, str]) -> Info:
        """See ``modeltap.stores.base.Store.create``."""
        file_locks(place.thing)
        _demand_absent(place, look_by_name(place))
        mode = self._tree.modes()[1]
        self._tree.refuse_links(f"{POSITIONS}/{place.path}".rpartition("/")[0])
        there = self._tree.make_parents(place.data)
        recorded_there = self._tree.make_parents(place.position)
        with self._locked(place, self._disk.make_file(place.position, mode, exclusive=False)) as position:
            recorded = read_open_record(position, place)
            _demand_absent(place, look(place, lambda: plain_stat(place.data), lambda: recorded))
            self._clear(place)
            record = Record(header, dict(metadata))
            self._begin(place, position, record, recorded_there)
            data = self._make_data_file(place, mode, header, there)
            last = Commit(recorded.last.generation + 1 if recorded else 1, 0, len(header), HEADER_IDENTITY)
            try:
                return self._commit(_Open(place, data, position, record), last)
            finally:
                os.close(data)

    def append(self, place: Place, batch: bytes, position: int, batch_id: str) -> Info:
        """See ``modeltap.stores.base.Store.append``."""
        identity = batch_identity(batch_id)
        with self._open(place) as file:
            if file is None:
                raise Conflict(
                    f"appending to {place.thing}: it is not there, or not made by modeltap; read its head and "
                    "choose another file"
                )
            last = file.record.last
            step, start = decide(file.record.commits, last.end, position, len(batch), identity)
            if step is Step.WRITE:
                self._write_batch(file, batch)
                return self._commit(file, Commit(last.generation + 1, position, position + len(batch), identity))
            if step is Step.CONFLICT or read_at(file.data, len(batch), start) != batch:
                raise Conflict(conflict_text(place.thing, last.end, position, len(batch)))
            self._confirm(file)
            return info_of_data(place, file.record, last)

    def holds(self, place: Place, position: int, length: int, sha256: str, batch_id: str) -> bool:
        """See ``modeltap.stores.base.Store.holds``."""
        with self._open(place) as file:
            if file is not None:
                commits, committed = file.record.commits, file.record.last.end
                step, start = decide(commits, committed, position, length, batch_identity(batch_id))
                held = step is Step.COMPARE and _digest(file.data, start, length) == sha256
                if held:
                    self._confirm(file)
                return held
        return _foreign_holds(place, position, length, sha256)

    @contextmanager
    def _locked(self, place: Place, position: int) -> Iterator[int]:
        """Hold the lock of an open position file, and close it."""
        try:
            with locked(position, place.thing, self._lock_wait_seconds):
                yield position
        finally:
            os.close(position)

    @contextmanager
    def _open(self, place: Place) -> Iterator[_Open | None]:
        """The data file of modeltap's that stands there, under its lock; None when there is none."""
        position = open_to_write(place.position)
        if position is None:
            yield None
            return
        with self._locked(place, position):
            data = open_to_write(place.data)
            if data is None:
                yield None
                return
            try:
                standing = look(place, lambda: os.fstat(data), lambda: read_open_record(position, place))
                record = standing.record if standing else None
                yield None if record is None else _Open(place, data, position, record)
            finally:
                os.close(data)

    def _clear(self, place: Place) -> None:
        """Cut what a dead creator left, before the record is another's."""
        data = open_to_write(place.data)
        if data is None:
            return
        try:
            if os.fstat(data).st_size:
                self._disk.truncate(data, 0)
                self._disk.sync(data)
        finally:
            os.close(data)

    def _begin(self, place: Place, position: int, record: Record, there: str) -> None:
        """Record what the data file is to be, durable."""
        write_all(self._disk, position, encode_record(record), 0)
        self._disk.sync(position)
        self._tree.sync_parents(place.position, there)

    def _make_data_file(self, place: Place, mode: int, header: bytes, there: str) -> int:
        """Make the data file with its header line, durable; gives its handle."""
        exclusive = not os.path.lexists(place.data)
        data = self._disk.make_file(place.data, mode, exclusive=exclusive)
        try:
            write_all(self._disk, data, header, 0)
            self._disk.sync(data)
            self._tree.sync_parents(place.data, there)
        except BaseException:
            os.close(data)
            raise
        return data

    def _write_batch(self, file: _Open, batch: bytes) -> None:
        """Put a batch behind the committed bytes, durable but not committed."""
        committed = file.record.last.end
        if os.fstat(file.data).st_size > committed:
            self._disk.truncate(file.data, committed)
        try:
            write_all(self._disk, file.data, batch, committed)
            self._disk.sync(file.data)
        except OSError:
            self._cut_torn_tail(file, committed)
            raise

    def _cut_torn_tail(self, file: _Open, committed: int) -> None:
        """On a full disk a torn row would stand in other programs' sight until there is room."""
        try:
            self._disk.truncate(file.data, committed)
        except OSError:
            return  # the next writer cuts it

    def _commit(self, file: _Open, commit: Commit) -> Info:
        offset, slot = encode_commit(commit)
        write_all(self._disk, file.position, slot, offset)
        self._disk.sync(file.position)
        return info_of_data(file.place, file.record, commit)

    def _confirm(self, file: _Open) -> None:
        """Make the commits durable that stand in the position file: their writer may have died before its sync."""
        write_all(self._disk, file.position, file.record.slots, SLOTS_START)
        self._disk.sync(file.position)


def _demand_absent(place: Place, standing: Standing | None) -> None:
    if standing is not None:
        raise Conflict(f"creating {place.thing}: {standing.info.size} bytes stand there; read its head")
    if os.path.lexists(place.data) and plain_stat(place.data) is None:
        raise StoreRefused(f"creating {place.thing}: something that is no plain file stands there; move it away")


def _foreign_holds(place: Place, position: int, length: int, sha256: str) -> bool:
    standing = look_by_name(place)
    handle = open_to_read(place.data) if standing is not None and standing.record is None else None
    if handle is None:
        return False
    try:
        return _digest(handle, position, length) == sha256
    finally:
        os.close(handle)


def _digest(handle: int, position: int, length: int) -> str:
    """SHA-256 of a stretch of a file, empty when the file ends before it."""
    digest, end = hashlib.sha256(), position + length
    while position < end:
        part = read_at(handle, min(_DIGESTED_BYTES, end - position), position)
        if not part:
            return ""
        digest.update(part)
        position += len(part)
    return digest.hexdigest()
