"""The double of the disk under the spool does what it says."""

from __future__ import annotations

import errno

import pytest

from modeltap.testing import FaultyFilesystem, ManualClock


def test_it_counts_the_calls_and_fails_at_the_one_that_was_chosen(tmp_path):
    disk = FaultyFilesystem(1, errno.ENOSPC, verb="write")
    handle = disk.open(str(tmp_path / "a"), exclusive=True)

    assert disk.write(handle, b"12") == 2
    with pytest.raises(OSError, match="No space left"):
        disk.write(handle, b"34")
    assert disk.write(handle, b"56") == 2
    disk.close(handle)
    assert disk.read(str(tmp_path / "a")) == b"1256"
    assert disk.calls == ["open", "write", "write", "write", "close", "read"]


def test_a_fault_stays_until_it_is_mended(tmp_path):
    disk = FaultyFilesystem(0, errno.EIO, for_ever=True)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output error"):
            disk.list(str(tmp_path))
    disk.mend()

    assert disk.list(str(tmp_path)) == {}


@pytest.mark.parametrize("number", [0, errno.ENOSPC])
def test_a_short_write_takes_the_first_half_and_may_fail_behind_it(tmp_path, number):
    disk = FaultyFilesystem(0, number, verb="write", short=True)
    handle = disk.open(str(tmp_path / "a"), exclusive=True)
    if number:
        with pytest.raises(OSError, match="No space left"):
            disk.write(handle, b"1234")
    else:
        assert disk.write(handle, b"1234") == 2
    disk.close(handle)

    assert disk.read(str(tmp_path / "a")) == b"12"


def test_a_close_that_fails_has_closed_all_the_same(tmp_path):
    disk = FaultyFilesystem(0, errno.EIO, verb="close")
    handle = disk.open(str(tmp_path / "a"), exclusive=True)
    with pytest.raises(OSError, match="Input/output error"):
        disk.close(handle)
    with pytest.raises(OSError, match="Bad file descriptor"):
        disk.write(handle, b"1")


def test_every_verb_can_fail(tmp_path):
    path = str(tmp_path / "a")
    verbs = {
        "open": lambda disk: disk.open(path, exclusive=False),
        "sync": lambda disk: disk.sync(path),
        "read": lambda disk: disk.read(path),
        "list": lambda disk: disk.list(str(tmp_path)),
        "rename": lambda disk: disk.rename(path, path),
        "unlink": lambda disk: disk.unlink(path),
    }
    (tmp_path / "a").touch()
    for verb, call in verbs.items():
        with pytest.raises(OSError, match="Input/output error"):
            call(FaultyFilesystem(0, errno.EIO, verb=verb))
        if verb != "open":
            call(FaultyFilesystem(1, errno.EIO, verb=verb))


def test_what_is_given_is_called_before_each_call(tmp_path):
    clock = ManualClock()
    disk = FaultyFilesystem(before=lambda verb: clock.advance(0.5) if verb == "list" else None)
    disk.list(str(tmp_path))
    disk.unlink(str(tmp_path / "a"))

    assert clock() == 500_000_001
