"""The segment that a process appends to: locked before anything stands in it, gone when it cannot begin."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from modeltap.errors import SpoolError
from modeltap.spool.locks import is_locked
from modeltap.spool.own_segment import OwnSegment, host_name
from modeltap.spool.segment import decode_header
from modeltap.testing import FaultyFilesystem


def test_it_is_locked_before_its_header_is_written_and_free_when_nobody_holds_it(tmp_path):
    path = tmp_path / "a.0.seg"
    locked: list[bool] = []
    disk = FaultyFilesystem(before=lambda verb: locked.append(is_locked(str(path))) if verb == "write" else None)
    segment = OwnSegment(disk, str(path), 0o600)
    segment.begin({"writer": "a"})
    assert locked == [True]
    assert is_locked(str(path))
    assert segment.size == segment.header_bytes == path.stat().st_size
    del segment

    assert not is_locked(str(path))


def test_its_header_names_host_and_process(tmp_path):
    segment = OwnSegment(FaultyFilesystem(), str(tmp_path / "a.0.seg"), 0o600)
    segment.begin({"writer": "a"})
    header = decode_header((tmp_path / "a.0.seg").read_bytes())
    segment.close()

    assert header is not None
    assert header.magic == segment.magic
    assert header.document == {"writer": "a", "host": host_name(), "pid": os.getpid()}


@pytest.mark.parametrize(("number", "short", "error"), [(errno.EIO, False, OSError), (0, True, SpoolError)])
def test_where_the_header_cannot_be_written_no_file_stays_behind(tmp_path, number, short, error):
    disk = FaultyFilesystem(0, number, verb="write", short=short)
    segment = OwnSegment(disk, str(tmp_path / "a.0.seg"), 0o600)
    with pytest.raises(error):
        segment.begin({"writer": "a"})
    segment.close()

    assert os.listdir(tmp_path) == []


def test_a_segment_is_made_once(tmp_path):
    (tmp_path / "a.0.seg").write_bytes(b"keep")
    with pytest.raises(FileExistsError):
        OwnSegment(FaultyFilesystem(), str(tmp_path / "a.0.seg"), 0o600)

    assert (tmp_path / "a.0.seg").read_bytes() == b"keep"


def test_closing_is_idempotent_and_a_close_that_fails_is_no_error(tmp_path):
    disk = FaultyFilesystem(0, errno.EIO, verb="close", for_ever=True)
    segment = OwnSegment(disk, str(tmp_path / "a.0.seg"), 0o600)
    segment.close()
    segment.close()

    assert disk.calls.count("close") == 1
    assert not is_locked(str(Path(tmp_path) / "a.0.seg"))


def test_the_name_of_the_host_fits_a_file_name():
    assert re.fullmatch("[A-Za-z0-9_]{1,48}", host_name())
