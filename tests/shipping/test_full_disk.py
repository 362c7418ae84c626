"""A disk without a free byte: shipping makes room for itself."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from support.shippers import NoSync, Spool, World


class SmallDisk(NoSync):
    """A disk of so many bytes, counted over the folder of a spool."""

    def __init__(self, folder: Path, capacity: int) -> None:
        self.folder = folder
        self.capacity = capacity

    @property
    def used(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def write(self, handle: int, data: bytes) -> int:
        room = self.capacity - self.used
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(handle, data[:room])


def test_a_spool_that_fills_its_disk_to_the_last_byte_is_shipped(quick_path):
    spool = Spool(quick_path / "spool")
    spool.writer().collect_many([0.0])
    world = World(spool, reserve_bytes=1 << 20)
    world.drain()  # while there was room the reserve was laid by
    for number in range(8):
        writer = spool.writer(f"host-{number + 2}-a-r")
        for value in range(60):
            writer.collect([[float(value), 0.0]] * 100)
        writer.seal()
    world.disk = SmallDisk(spool.path(), 0)
    world.disk.capacity = world.disk.used
    assert world.drain().shipped() == spool.accepted
    assert spool.path("reserve").stat().st_size == 1 << 20
    assert world.progress.last_error is None


def test_a_spool_without_room_for_a_reserve_is_shipped_as_soon_as_there_is_some(quick_path):
    spool = Spool(quick_path / "spool")
    spool.writer().collect_many([0.0, 1.0]).seal()
    world = World(spool, reserve_bytes=1 << 20)
    world.disk = SmallDisk(spool.path(), 0)
    world.disk.capacity = world.disk.used
    assert not world.run(seconds=30)
    assert not world.shipped()
    assert "No space" in world.progress.last_error
    world.disk.capacity += 20_000
    assert world.drain().shipped() == spool.accepted
