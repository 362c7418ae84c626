"""Documents on disks that are odd: what a dead writer left, and clocks that stand still."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modeltap.errors import Conflict, StoreUnavailable
from modeltap.stores.local import LocalStore
from modeltap.testing import FaultyDisk

PATH = "modeltap/services/service.json"
SECOND_NS = 1_000_000_000


class Clock(FaultyDisk):
    """A disk whose clock stands still, and which keeps instants as multiples of its resolution."""

    def __init__(self, resolution_ns: int) -> None:
        super().__init__()
        self._resolution_ns = resolution_ns

    def write(self, handle, data, position):
        written = super().write(handle, data, position)
        self.stamp(handle, 1_800_000_000 * SECOND_NS)
        return written

    def stamp(self, handle, mtime_ns):
        super().stamp(handle, mtime_ns - mtime_ns % self._resolution_ns if self._resolution_ns else 0)


@pytest.mark.parametrize("resolution_ns", [1, 100, 1_000_000, SECOND_NS, 2 * SECOND_NS])
def test_documents_of_one_instant_of_a_coarse_clock_have_different_etags(tmp_path, resolution_ns):
    store = LocalStore(str(tmp_path), disk=Clock(resolution_ns))
    etags = [store.put(PATH, b"x").etag for _ in range(20)]

    assert len(set(etags)) == 20
    assert store.head(PATH).etag == etags[-1]
    with pytest.raises(Conflict):
        store.put(PATH, b"y", if_match=etags[-2])


def test_a_clock_that_was_set_back_changes_nothing(tmp_path):
    store = LocalStore(str(tmp_path))
    first = store.put(PATH, b"x")
    later = (tmp_path / PATH).stat().st_mtime_ns + 3600 * SECOND_NS
    os.utime(tmp_path / PATH, ns=(later, later))
    second = store.put(PATH, b"x", if_match=store.head(PATH).etag)

    assert second.etag not in (first.etag, f"{later:x}-1")
    assert (tmp_path / PATH).stat().st_mtime_ns > later


def test_a_disk_that_keeps_no_instants_is_told(tmp_path):
    store = LocalStore(str(tmp_path), disk=Clock(0))
    store.put(PATH, b"x")

    with pytest.raises(StoreUnavailable, match="keeps no instants of change"):
        store.put(PATH, b"y")
    assert store.read(PATH) == b"x"


def test_what_a_dead_writer_left_does_not_get_into_the_next_document(tmp_path):
    (tmp_path / PATH).parent.mkdir(parents=True)
    Path(tmp_path / PATH).with_name(".modeltap-put").write_bytes(b"left" * 1000)
    store = LocalStore(str(tmp_path))

    store.put(PATH, b"short")

    assert store.read(PATH) == b"short"
    assert os.listdir((tmp_path / PATH).parent) == ["service.json"]


def test_a_document_is_synced_before_it_is_visible_and_its_name_after(tmp_path):
    LocalStore(str(tmp_path)).put(PATH, b"x")
    disk = FaultyDisk()
    LocalStore(str(tmp_path), disk=disk).put(PATH, b"y")

    steps = [step for step in disk.steps if step != "stamp"]
    assert steps == ["make_file", "truncate", "write", "sync", "rename", "sync_folder"]
