"""What waits to be shipped, as the agent publishes it."""

from __future__ import annotations

import json
import os
import threading

import pytest

from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.progress import positions, request_flush, segments_of, unshipped, wait_until_shipped


@pytest.fixture
def spool(tmp_path):
    return SpoolDirectory.open(str(tmp_path / "spool"), str(tmp_path / "store"))


def write(spool, name, size):
    with open(os.path.join(spool.segments, name), "wb") as file:
        file.write(b"x" * size)


def publish(spool, **segments):
    with open(spool.status, "w", encoding="utf-8") as file:
        json.dump({"segments": {f"{name}.0.seg": size for name, size in segments.items()}}, file)


def test_segments_are_those_of_one_writer_or_of_all(spool):
    write(spool, "a-1.0.seg", 10)
    write(spool, "a-1.1.seg", 20)
    write(spool, "b-1.0.seg", 30)
    write(spool, "new.tmp", 5)
    assert segments_of(spool, "a-1") == {"a-1.0.seg": 10, "a-1.1.seg": 20}
    assert len(segments_of(spool)) == 3


def test_what_waits_is_behind_the_published_positions(spool):
    write(spool, "a.0.seg", 10)
    write(spool, "b.0.seg", 10)
    assert unshipped(spool, segments_of(spool)) == 20
    publish(spool, a=10, b=4)
    assert positions(spool) == {"a.0.seg": 10, "b.0.seg": 4}
    assert unshipped(spool, segments_of(spool)) == 6


def test_a_segment_that_is_gone_is_shipped(spool):
    assert unshipped(spool, {"gone.0.seg": 10}) == 0


@pytest.mark.parametrize("text", ["", "[]", '{"segments": 3}', '{"segments": '])
def test_a_damaged_status_says_nothing(spool, text):
    write(spool, "a.0.seg", 10)
    with open(spool.status, "w", encoding="utf-8") as file:
        file.write(text)
    assert unshipped(spool, segments_of(spool)) == 10


def test_each_request_changes_the_file(spool):
    seen = set()
    for _ in range(5):
        request_flush(spool)
        with open(spool.flush, "rb") as file:
            seen.add(file.read())
    assert len(seen) == 5
    assert os.stat(spool.flush).st_mode & 0o777 == 0o600


def test_waiting_ends_when_all_is_shipped_and_not_before(spool):
    write(spool, "a.0.seg", 10)
    assert not wait_until_shipped(spool, {"a.0.seg": 10}, 0.05)
    later = threading.Timer(0.1, publish, [spool], {"a": 10})
    later.start()
    assert wait_until_shipped(spool, {"a.0.seg": 10}, 30.0)
    later.join()
