"""Crash stories of the local store: its process ends, or its disk fails, before any step."""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from modeltap.errors import Conflict, StoreError
from modeltap.stores.local import LocalStore
from modeltap.testing import Crash, FaultyDisk

PATH = "modeldata/day/data.csv"
HEADER = b"a,b\r\n"
BATCHES = [b"1,2\r\n3,4\r\n", b"5,6\r\n", b"7,8\r\n" * 30]
WHOLE = HEADER + b"".join(BATCHES)
ENDS = [len(HEADER) + sum(map(len, BATCHES[:count])) for count in range(len(BATCHES) + 1)]
STATES = [None, *(WHOLE[:end] for end in ENDS)]


def ship(store: LocalStore, path: str = PATH) -> None:
    """Make the file and commit the batches, each at its position: what is in already is no news."""
    try:
        store.create(path, HEADER, {"schema": "x"})
    except Conflict:
        assert store.head(path) is not None
    for number, batch in enumerate(BATCHES):
        store.append(path, batch, position=ENDS[number], batch_id=str(number))


def state(folder: Path, path: str = PATH) -> bytes | None:
    """What a reader sees: one of the states between two commits, or it is wrong."""
    store = LocalStore(str(folder))
    info = store.head(path)
    if info is None:
        assert list(store.list("")) == []
        with pytest.raises(Conflict):
            store.read(path)
        return None
    assert info.metadata == {"schema": "x"}
    data = store.read(path)
    assert len(data) == info.size
    return data


def open_handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def steps(tmp_path: Path, work=ship) -> list[str]:
    disk = FaultyDisk()
    work(LocalStore(str(tmp_path / "undisturbed"), disk=disk))
    return disk.steps


def test_a_commit_takes_two_writes_and_two_syncs(tmp_path):
    ship(LocalStore(str(tmp_path)))
    disk = FaultyDisk()
    LocalStore(str(tmp_path), disk=disk).append(PATH, b"9,9\r\n", position=ENDS[-1], batch_id="9")

    assert disk.steps == ["write", "sync", "write", "sync"]


def test_every_folder_above_a_new_file_is_synced_before_its_first_commit(tmp_path):
    """Another process may have made them a moment ago, and died before it could sync them."""
    synced = []

    class Watching(FaultyDisk):
        def sync_folder(self, path):
            synced.append(path)
            super().sync_folder(path)

        def sync(self, handle):
            synced.append("commit" if os.fstat(handle).st_size > 2000 else "data")
            super().sync(handle)

    (tmp_path / PATH).parent.mkdir(parents=True)
    LocalStore(str(tmp_path), disk=Watching()).create(PATH, HEADER, {})

    def above(path):
        return [str(parent) for parent in (tmp_path / path).parents if tmp_path in (parent, *parent.parents)]

    records = above(f"modeltap/positions/{PATH}")
    assert synced == ["commit", *records, "data", *above(PATH), "commit"]


@pytest.mark.crash
@pytest.mark.parametrize("torn", [False, True], ids=["whole-writes", "torn-writes"])
def test_a_writer_that_dies_before_any_step_leaves_a_state_between_two_commits(tmp_path, torn):
    handles = open_handles()
    for step in range(len(steps(tmp_path))):
        folder = tmp_path / str(step)
        with pytest.raises(Crash):
            ship(LocalStore(str(folder), disk=FaultyDisk(step, torn=torn)))

        assert state(folder) in STATES
        ship(LocalStore(str(folder)))
        assert state(folder) == WHOLE
        assert (folder / PATH).read_bytes() == WHOLE
    assert open_handles() == handles


@pytest.mark.crash
def test_a_writer_that_dies_while_it_mends_what_a_dead_one_left_leaves_such_a_state_too(tmp_path):
    """Two deaths, at every pair of steps."""
    path = "data.csv"
    for first in range(len(steps(tmp_path, lambda store: ship(store, path)))):
        for second in range(1_000):
            folder = tmp_path / f"{first}-{second}"
            with pytest.raises(Crash):
                ship(LocalStore(str(folder), disk=FaultyDisk(first, torn=True)), path)
            left = FaultyDisk(second, torn=True)
            try:
                ship(LocalStore(str(folder), disk=left), path)
            except Crash:
                assert state(folder, path) in STATES
                ship(LocalStore(str(folder)), path)
            assert state(folder, path) == WHOLE
            if len(left.steps) <= second:
                break  # nothing was left to die at


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE])
def test_a_disk_that_fails_before_any_step_is_told_and_the_next_try_ends_well(tmp_path, number):
    handles = open_handles()
    for step in range(len(steps(tmp_path))):
        folder = tmp_path / str(step)
        with pytest.raises(StoreError) as told:
            ship(LocalStore(str(folder), disk=FaultyDisk.with_errno(step, number)))

        assert os.strerror(number) in str(told.value)
        assert state(folder) in STATES
        ship(LocalStore(str(folder)))
        assert state(folder) == WHOLE
    assert open_handles() == handles


def test_a_disk_that_fails_for_ever_is_told_every_time_and_mended_by_itself(tmp_path):
    for step in range(len(steps(tmp_path))):
        folder = tmp_path / str(step)
        store = LocalStore(str(folder), disk=FaultyDisk.with_errno(step, errno.ENOSPC, for_ever=True))
        for _ in range(3):
            with pytest.raises(StoreError):
                ship(store)
            assert state(folder) in STATES
        ship(LocalStore(str(folder)))
        assert state(folder) == WHOLE


def test_a_full_disk_leaves_no_torn_row_in_the_sight_of_other_programs(tmp_path):
    """The write takes half of the batch, then the disk is full; nobody ships again for hours."""
    store = LocalStore(str(tmp_path))
    store.create(PATH, HEADER, {})
    full = FaultyDisk(0, lambda: OSError(errno.ENOSPC, "No space left on device"), torn=True)

    with pytest.raises(StoreError, match="free space"):
        LocalStore(str(tmp_path), disk=full).append(PATH, BATCHES[0], position=5, batch_id="a")

    assert (tmp_path / PATH).read_bytes() == HEADER


def test_a_commit_whose_sync_failed_is_synced_again_before_anybody_is_told_that_it_is_in(tmp_path):
    """The slot stands in the page cache, and the disk may never have got it."""
    ship(LocalStore(str(tmp_path)))
    batch, position = b"9,9\r\n", ENDS[-1]
    failing = FaultyDisk.with_errno(3, errno.EIO)
    with pytest.raises(StoreError):
        LocalStore(str(tmp_path), disk=failing).append(PATH, batch, position=position, batch_id="9")
    assert failing.steps[-1] == "sync"

    sending = FaultyDisk()
    LocalStore(str(tmp_path), disk=sending).append(PATH, batch, position=position, batch_id="9")
    assert sending.steps == ["write", "sync"]

    asking, digest = FaultyDisk(), sha256(batch).hexdigest()
    store = LocalStore(str(tmp_path), disk=asking)
    assert store.holds(PATH, position=position, length=len(batch), sha256=digest, batch_id="9")
    assert asking.steps == ["write", "sync"]
    assert store.read(PATH) == WHOLE + batch


def test_a_tail_that_is_not_committed_is_written_again_even_if_its_bytes_are_right(tmp_path):
    """After a failed sync the cache shows bytes that the disk may never get."""
    store = LocalStore(str(tmp_path))
    store.create(PATH, HEADER, {})
    with (tmp_path / PATH).open("ab") as file:
        file.write(BATCHES[0])
    disk = FaultyDisk()

    LocalStore(str(tmp_path), disk=disk).append(PATH, BATCHES[0], position=5, batch_id="a")

    assert disk.steps == ["truncate", "write", "sync", "write", "sync"]


@pytest.mark.crash
@pytest.mark.parametrize("torn", [False, True], ids=["whole-writes", "torn-writes"])
@pytest.mark.parametrize("old", [None, b"old", b"as long" * 500], ids=["new", "shorter", "longer"])
def test_a_writer_that_dies_while_it_puts_a_document_leaves_the_old_or_the_new_one(tmp_path, torn, old):
    document, new = "modeltap/services/a/b/c/service.json", b"new" * 1000

    def prepared(name, disk=None):
        if old is not None:
            LocalStore(str(tmp_path / name)).put(document, old)
        return LocalStore(str(tmp_path / name), disk=disk)

    undisturbed = FaultyDisk()
    prepared("undisturbed", undisturbed).put(document, new)
    for step in range(len(undisturbed.steps)):
        with pytest.raises(Crash):
            prepared(str(step), FaultyDisk(step, torn=torn)).put(document, new)

        store = LocalStore(str(tmp_path / str(step)))
        assert [store.read(info.path) for info in store.list("")] in ([old] if old else [], [new])
        store.put(document, new)
        assert store.read(document) == new
        assert [info.path for info in store.list("")] == [document]
