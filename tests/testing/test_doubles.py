"""The public doubles do what they say."""

from __future__ import annotations

import errno

import pytest

import modeltap.testing
from modeltap.stores.local import LocalStore
from modeltap.testing import Crash, FaultyDisk, MemoryStore


def test_what_is_public_is_there():
    assert sorted(set(modeltap.testing.__all__)) == sorted(modeltap.testing.__all__)
    assert all(hasattr(modeltap.testing, name) for name in modeltap.testing.__all__)


def test_a_store_in_memory_is_one_of_its_own():
    one, other = MemoryStore("one"), MemoryStore("other")
    one.put("x", b"1")

    assert (one.url, other.url) == ("memory://one", "memory://other")
    assert list(other.list("")) == []


def test_a_faulty_disk_counts_the_steps_and_fails_at_the_one_that_was_chosen(tmp_path):
    disk = FaultyDisk()
    LocalStore(str(tmp_path / "a"), disk=disk).put("x", b"1")
    faulty = FaultyDisk(disk.steps.index("rename"))

    with pytest.raises(Crash):
        LocalStore(str(tmp_path / "b"), disk=faulty).put("x", b"1")

    assert faulty.steps == disk.steps[: disk.steps.index("rename") + 1]


def test_a_fault_is_over_after_one_step_or_stays(tmp_path):
    once, for_ever = (FaultyDisk.with_errno(1, errno.EIO, for_ever=stays) for stays in (False, True))
    for disk, working in ((once, True), (for_ever, False)):
        assert disk.make_folder(str(tmp_path / f"{working}0"), 0o700)
        with pytest.raises(OSError, match="Input/output error"):
            disk.make_folder(str(tmp_path / f"{working}1"), 0o700)
        if working:
            assert disk.make_folder(str(tmp_path / f"{working}1"), 0o700)
        else:
            with pytest.raises(OSError, match="Input/output error"):
                disk.make_folder(str(tmp_path / f"{working}1"), 0o700)


def test_a_torn_write_leaves_its_first_half(tmp_path):
    disk = FaultyDisk(1, torn=True)
    handle = disk.make_file(str(tmp_path / "x"), 0o600, exclusive=True)
    with pytest.raises(Crash):
        disk.write(handle, b"123456", 0)

    assert (tmp_path / "x").read_bytes() == b"123"


def test_the_end_of_a_process_is_no_exception_that_anybody_handles():
    assert not issubclass(Crash, Exception)
