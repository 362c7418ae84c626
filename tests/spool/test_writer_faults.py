"""The disk fails at the k-th call, for every k: predictions go on, no frame is torn, nobody has to mend anything."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.segment import decode_header
from modeltap.spool.writer import SpoolWriter
from modeltap.testing import FaultyFilesystem, ManualClock
from support.spools import DESCRIPTOR, body, numbers_in, open_spool, segments

ERRORS = ("ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "EACCES")
REASONS = {"spool_full", "disk_stalled", "spool_unwritable"}
FRAMES = 12
ROWS = 20_000
"""Three frames fill a segment of 64 KiB, so the scenario opens several."""


class Told(NamedTuple):
    """What a scenario's caller was told."""

    accepted: list[int]
    refused: list[str]
    writer: SpoolWriter


def scenario(spool: SpoolDirectory, disk: FaultyFilesystem) -> Told:
    """Twelve frames; housekeeping looks after every third."""
    writer = SpoolWriter(spool, max_bytes=1 << 20, version="1", filesystem=disk, clock_ns=ManualClock())
    accepted: list[int] = []
    refused: list[str] = []
    writer.open()
    for number in range(FRAMES):
        reason = writer.put(DESCRIPTOR, body(number, ROWS), 10)
        if reason is None:
            accepted.append(number)
        else:
            refused.append(reason)
        if number % 3 == 2:
            writer.recover()
    return Told(accepted, refused, writer)


def check(spool: SpoolDirectory, told: Told) -> None:
    """What must hold after the faults are over and housekeeping has looked."""
    found = numbers_in(spool)
    assert set(told.refused) <= REASONS
    assert len(told.accepted) + len(told.refused) == FRAMES
    assert told.writer.volatile_rows == 0
    assert told.writer.last_error == ""
    assert found == Counter(told.accepted)
    assert told.writer.put(DESCRIPTOR, body(FRAMES, ROWS), 10) is None
    assert numbers_in(spool) == found + Counter([FRAMES])
    for path in segments(spool):  # where even removing it fails an empty file may stay, never half a header
        assert decode_header(path.read_bytes()) is not None or not path.stat().st_size


@pytest.fixture(scope="module")
def clean_calls(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    disk = FaultyFilesystem()
    told = scenario(open_spool(tmp_path_factory.mktemp("clean")), disk)
    told.writer.close()
    assert told.accepted == list(range(FRAMES))
    assert Counter(disk.calls)["open"] == 4
    return disk.calls


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("error", ERRORS)
def test_whichever_call_fails_every_accepted_frame_is_readable_once(tmp_path, clean_calls, error, for_ever):
    for verb in ("open", "write", "list", "close"):
        for number in range(clean_calls.count(verb)):
            spool = open_spool(tmp_path / f"{verb}{number}")
            disk = FaultyFilesystem(number, getattr(errno, error), verb=verb, for_ever=for_ever)
            told = scenario(spool, disk)
            disk.mend()
            told.writer.recover()
            check(spool, told)
            told.writer.close()


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("error", ["", *ERRORS])
def test_whichever_write_is_short_no_torn_frame_is_read_and_none_is_lost(tmp_path, clean_calls, error, for_ever):
    for number in range(clean_calls.count("write")):
        spool = open_spool(tmp_path / str(number))
        disk = FaultyFilesystem(
            number, getattr(errno, error) if error else 0, verb="write", for_ever=for_ever, short=True
        )
        told = scenario(spool, disk)
        disk.mend()
        told.writer.recover()
        check(spool, told)
        told.writer.close()


def test_a_disk_that_fails_in_every_verb_at_once_loses_no_row_that_was_accepted(tmp_path, clean_calls):
    for number in range(len(clean_calls)):
        spool = open_spool(tmp_path / str(number))
        disk = FaultyFilesystem(number, errno.EIO, for_ever=True)
        told = scenario(spool, disk)
        before = numbers_in(spool)
        assert set(before.values()) <= {1}
        assert told.accepted == list(range(FRAMES))
        assert told.writer.volatile_rows == 10 * (FRAMES - len(before))
        assert not told.writer.volatile_rows or "Input/output error" in told.writer.last_error
        disk.mend()
        told.writer.recover()
        check(spool, told)
        told.writer.close()


def test_a_disk_that_stays_full_for_long_gathers_no_files(tmp_path):
    spool = open_spool(tmp_path)
    disk = FaultyFilesystem(0, errno.ENOSPC, verb="write", for_ever=True)
    writer = SpoolWriter(spool, max_bytes=1 << 20, version="1", filesystem=disk, clock_ns=ManualClock())
    for number in range(100):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
        writer.recover()

    assert segments(spool) == []
    disk.mend()
    writer.recover()
    assert numbers_in(spool) == Counter(range(100))
    writer.close()


# ---- the real thing


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A real disk of 256 KiB where this user may mount one; else a real limit on the size of files."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(place)]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0
    yield place if mounted else None
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_real_disk_that_is_full_refuses_no_prediction_and_takes_the_rows_when_it_has_room(tmp_path, tiny_disk):
    if tiny_disk is None:
        take_rows_on_a_disk_with_a_limit(tmp_path)
        return
    spool = open_spool(tiny_disk)
    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(150_000))
    writer = SpoolWriter(spool, max_bytes=1 << 20, version="1", clock_ns=ManualClock())
    results = [writer.put(DESCRIPTOR, body(number, 10_000), 1) for number in range(15)]
    assert results == [None] * 15
    assert writer.volatile_rows > 0
    assert "took" in writer.last_error  # the last write before the end is a short one
    writer.recover()
    assert writer.volatile_rows > 0
    assert "No space left" in writer.last_error
    filler.unlink()
    writer.recover()
    assert writer.volatile_rows == 0
    writer.close()

    assert numbers_in(spool) == Counter(range(15))


def take_rows_on_a_disk_with_a_limit(tmp_path: Path) -> None:
    import resource
    import signal

    spool = open_spool(tmp_path)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = SpoolWriter(spool, max_bytes=1 << 20, version="1", clock_ns=ManualClock())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (25_000, hard))
        results = [writer.put(DESCRIPTOR, body(number, 10_000), 1) for number in range(5)]
        assert results == [None] * 5
        assert writer.volatile_rows > 0
        assert "File too large" in writer.last_error or "took" in writer.last_error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    writer.recover()
    assert writer.volatile_rows == 0
    writer.close()

    assert numbers_in(spool) == Counter(range(5))


def test_a_limit_of_the_system_on_the_size_of_files_is_a_short_write_like_any_other(tmp_path):
    take_rows_on_a_disk_with_a_limit(tmp_path)


def test_a_spool_whose_folder_was_taken_away_is_made_again_by_nobody_but_loses_nothing_in_memory(tmp_path):
    spool = open_spool(tmp_path)
    writer = SpoolWriter(spool, max_bytes=1 << 20, version="1", clock_ns=ManualClock())
    os.rename(spool.path, tmp_path / "aside")
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    writer.recover()
    assert writer.volatile_rows == 8
    assert "No such file" in writer.last_error
    os.rename(tmp_path / "aside", spool.path)
    writer.recover()

    assert numbers_in(spool) == Counter([0])
    writer.close()
