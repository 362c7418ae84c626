"""The seam to the disk: what the real one promises."""

from __future__ import annotations

import os
import stat

import pytest

from modeltap.spool.filesystem import LocalFilesystem, open_private, replace_file, write_all
from modeltap.testing import FaultyFilesystem

DISK = LocalFilesystem()


@pytest.fixture
def strict_umask(tmp_path):  # after the test has its folder
    before = os.umask(0o777)
    yield
    os.umask(before)


def mode_of(path: object) -> int:
    return stat.S_IMODE(os.lstat(str(path)).st_mode)


def put(path: object, data: bytes, *, exclusive: bool = True) -> None:
    handle = DISK.open(str(path), exclusive=exclusive)
    try:
        write_all(DISK, handle, data)
    finally:
        DISK.close(handle)


def test_a_file_is_appended_to_by_whoever_opens_it_again(tmp_path):
    put(tmp_path / "a", b"12")
    put(tmp_path / "a", b"34", exclusive=False)

    assert DISK.read(str(tmp_path / "a")) == b"1234"


def test_exclusively_a_file_is_made_once(tmp_path):
    put(tmp_path / "a", b"")
    with pytest.raises(FileExistsError):
        put(tmp_path / "a", b"")


@pytest.mark.parametrize("mode", [0o600, 0o660])
@pytest.mark.usefixtures("strict_umask")
def test_a_new_file_has_its_mode_whatever_the_umask(tmp_path, mode):
    DISK.close(DISK.open(str(tmp_path / "a"), exclusive=True, mode=mode))
    DISK.close(DISK.open(str(tmp_path / "b"), exclusive=False, mode=mode))
    replace_file(DISK, str(tmp_path / "c"), b"x", mode)

    assert {mode_of(tmp_path / name) for name in "abc"} == {mode}


def test_a_file_that_was_opened_to_others_is_closed_to_them_again(tmp_path):
    (tmp_path / "a").touch(0o666)
    os.close(open_private(str(tmp_path / "a"), os.O_WRONLY, 0o600))

    assert mode_of(tmp_path / "a") == 0o600


def test_a_symlink_is_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"keep")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for exclusive in (True, False):
        with pytest.raises(OSError):
            DISK.open(str(tmp_path / "link"), exclusive=exclusive)

    assert (tmp_path / "target").read_bytes() == b"keep"


def test_a_child_does_not_inherit_a_handle(tmp_path):
    handle = DISK.open(str(tmp_path / "a"), exclusive=True)
    try:
        assert not os.get_inheritable(handle)
    finally:
        DISK.close(handle)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, -1, b"0123456789"),
        (3, -1, b"3456789"),
        (3, 4, b"3456"),
        (8, 10, b"89"),
        (10, 1, b""),
        (99, -1, b""),
        (0, 0, b""),
    ],
)
def test_any_stretch_can_be_read(tmp_path, start, length, expected):
    put(tmp_path / "a", b"0123456789")

    assert DISK.read(str(tmp_path / "a"), start, length) == expected


def test_a_listing_has_plain_files_with_their_sizes(tmp_path):
    put(tmp_path / "a", b"12")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")

    assert DISK.list(str(tmp_path)) == {"a": 2}


def test_a_file_takes_anothers_place_whole(tmp_path):
    replace_file(DISK, str(tmp_path / "a"), b"old")
    replace_file(DISK, str(tmp_path / "a"), b"new and longer")

    assert DISK.list(str(tmp_path)) == {"a": 14}


def test_removing_what_is_gone_is_no_error(tmp_path):
    put(tmp_path / "a", b"")
    DISK.unlink(str(tmp_path / "a"))
    DISK.unlink(str(tmp_path / "a"))

    assert DISK.list(str(tmp_path)) == {}


def test_writing_goes_on_after_short_writes(tmp_path):
    short = FaultyFilesystem(0, verb="write", for_ever=True, short=True)
    handle = short.open(str(tmp_path / "a"), exclusive=True)
    with pytest.raises(OSError, match="takes nothing"):
        write_all(short, handle, b"0123456789")
    short.mend()
    write_all(short, handle, b"!")
    short.close(handle)

    assert DISK.read(str(tmp_path / "a")) == b"012345678!"


def test_a_file_is_seen_whole_or_not_at_all_wherever_putting_it_in_place_fails(tmp_path):
    path = str(tmp_path / "a")
    replace_file(DISK, path, b"old")
    clean = FaultyFilesystem()
    replace_file(clean, path, b"old")
    for number in range(len(clean.calls)):
        faulty = FaultyFilesystem(number, 5)
        with pytest.raises(OSError, match="Input/output error"):
            replace_file(faulty, path, b"new")
        assert DISK.read(path) == (b"new" if "rename" in faulty.calls[:number] else b"old")
        replace_file(DISK, path, b"old")
    assert DISK.list(str(tmp_path)) == {"a": 3}
