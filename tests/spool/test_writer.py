"""The writer: one write for each frame, bounds, the stalled disk, threads, signals and forks."""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.frame import MAX_FRAME_BYTES, PREFIX, decode_columns
from modeltap.spool.locks import is_locked
from modeltap.spool.segment import MAX_SEGMENT_BYTES, decode_header, writer_stem
from modeltap.spool.writer import MIN_SEGMENT_BYTES, RING_BYTES, STALL_NANOSECONDS, SpoolWriter
from modeltap.testing import FaultyFilesystem, ManualClock
from support.spools import (
    DESCRIPTOR,
    body,
    fork,
    frames_in,
    in_forked_child,
    leave,
    numbers_in,
    open_spool,
    segments,
    torn_bytes,
)

GIB = 1 << 30
SLOW_SECONDS = 2 * STALL_NANOSECONDS / 1e9


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDirectory:
    return open_spool(tmp_path)


@pytest.fixture
def writers():
    made: list[SpoolWriter] = []
    yield made
    for writer in made:
        writer.close()


def writer_on(spool: SpoolDirectory, writers: list[SpoolWriter], *, max_bytes: int = GIB, **parts) -> SpoolWriter:
    clock = ManualClock()  # stands still: a busy machine is no slow disk
    writers.append(SpoolWriter(spool, max_bytes=max_bytes, version="1", **{"clock_ns": clock, **parts}))
    return writers[-1]


def drain(writer: SpoolWriter) -> None:
    """Keep house until nothing waits in memory."""
    for _ in range(1_000):
        writer.recover()
        if not writer.volatile_rows:
            return


def once_each(numbers: range) -> Counter[int]:
    return Counter(numbers)


# ---- frames


def test_each_frame_is_one_write_of_all_of_its_bytes(spool, writers):
    disk = FaultyFilesystem()
    writer = writer_on(spool, writers, filesystem=disk)
    assert writer.open()
    assert disk.calls.count("write") == 1  # the header

    for number in range(5):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
        assert disk.calls.count("write") == number + 2
    (path,) = segments(spool)
    assert [frame.sequence for frame in frames_in(path)] == [0, 1, 2, 3, 4]
    assert torn_bytes(path) == 0


def test_what_was_put_is_read_back(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(7, rows=3), 3) is None
    (frame,) = frames_in(segments(spool)[0])

    assert frame.descriptor == DESCRIPTOR
    assert (frame.sequence, frame.rows, frame.request_id) == (7, 3, "r-1")
    assert decode_columns(frame) == [[False] * 3]


def test_the_segment_says_whose_it_is(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.open()
    (path,) = segments(spool)
    header = decode_header(path.read_bytes())

    assert header is not None
    assert header.document == {
        "spool": spool.hash,
        "host": writer.stem.split("-", maxsplit=1)[0],
        "pid": os.getpid(),
        "writer": writer.stem,
        "version": "1",
    }
    assert writer_stem(path.name) == writer.stem
    assert re.fullmatch(rf"[A-Za-z0-9_]+-{os.getpid()}-[0-9a-f]+-[0-9a-f]{{8}}", writer.stem)
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_segment_has_a_magic_of_its_own(spool, writers):
    for _ in range(3):
        assert writer_on(spool, writers).open()
    headers = [decode_header(path.read_bytes()) for path in segments(spool)]

    assert len({header.magic for header in headers if header is not None}) == 3


def test_a_segment_is_locked_as_long_as_its_writer_lives(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    (path,) = segments(spool)
    assert is_locked(str(path))
    writer.close()

    assert not is_locked(str(path))


def test_nothing_is_made_before_the_first_frame(spool, writers):
    writer_on(spool, writers)
    assert segments(spool) == []


def test_whoever_opens_a_segment_is_told(spool, writers):
    told: list[str] = []
    writer = writer_on(spool, writers, max_bytes=1 << 20, on_open=lambda: told.append("opened"))
    assert writer.open()
    assert writer.open()
    assert told == ["opened"]
    for number in range(3):
        assert writer.put(DESCRIPTOR, body(number, 40_000), 1) is None
    assert told == ["opened"] * 3


# ---- bounds


def test_segments_change_before_they_pass_their_bound_and_only_the_last_is_locked(spool, writers):
    writer = writer_on(spool, writers, max_bytes=2 << 20)
    for number in range(40):
        assert writer.put(DESCRIPTOR, body(number, 20_000), 1) is None
    paths = segments(spool)

    assert max(path.stat().st_size for path in paths) <= (2 << 20) // 16
    assert [writer_stem(path.name) for path in paths] == [writer.stem] * len(paths)
    assert [path.name.rsplit(".", 2)[1] for path in paths] == [str(number) for number in range(len(paths))]
    assert [is_locked(str(path)) for path in paths] == [False] * (len(paths) - 1) + [True]
    assert numbers_in(spool) == once_each(range(40))


def test_a_large_spool_has_segments_of_eight_mebibytes_at_most(spool, writers):
    writer = writer_on(spool, writers)
    for number in range(10):
        assert writer.put(DESCRIPTOR, body(number, MAX_FRAME_BYTES - 400), 1) is None
    paths = segments(spool)

    assert [len(frames_in(path)) for path in paths] == [8, 2]
    assert max(path.stat().st_size for path in paths) <= MAX_SEGMENT_BYTES


def test_a_frame_that_is_larger_than_a_segment_has_one_of_its_own(spool, writers):
    writer = writer_on(spool, writers, max_bytes=4 << 20)
    for number, rows in enumerate([10, 500_000, 10, 500_000, 500_000]):
        assert writer.put(DESCRIPTOR, body(number, rows), 1) is None

    assert [len(frames_in(path)) for path in segments(spool)] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("rows", [100, 20_000, 300_000])
def test_a_spool_never_passes_its_bound_and_refuses_new_rows_when_it_is_full(spool, writers, rows):
    bound = 1 << 20
    writer = writer_on(spool, writers, max_bytes=bound)
    results = [writer.put(DESCRIPTOR, body(number, rows), 1) for number in range(2 * bound // rows)]
    accepted = results.count(None)

    assert set(results) == {None, "spool_full"}
    assert results == [None] * accepted + ["spool_full"] * (len(results) - accepted)
    assert bound // 2 < sum(path.stat().st_size for path in segments(spool)) <= bound
    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(accepted))


def test_bytes_of_batches_on_their_way_count_too(spool, writers):
    (Path(spool.intents) / "a.bytes").write_bytes(bytes(1 << 20))
    writer = writer_on(spool, writers, max_bytes=1 << 20)

    assert not writer.open()
    assert writer.put(DESCRIPTOR, body(0), 8) == "spool_full"


def test_rows_are_taken_again_when_there_is_room_again(spool, writers):
    writer = writer_on(spool, writers, max_bytes=1 << 20)
    while writer.put(DESCRIPTOR, body(0, 20_000), 1) is None:
        continue
    writer.recover()
    assert writer.put(DESCRIPTOR, body(1), 8) == "spool_full"
    assert not any(is_locked(str(path)) for path in segments(spool))

    for path in segments(spool)[:4]:
        path.unlink()
    assert writer.put(DESCRIPTOR, body(1), 8) == "spool_full"  # it is housekeeping that looks again
    writer.recover()

    assert writer.put(DESCRIPTOR, body(2), 8) is None
    assert numbers_in(spool)[2] == 1
    assert writer.last_error == ""


def test_a_bound_below_one_segment_takes_nothing(spool, writers):
    writer = writer_on(spool, writers, max_bytes=MIN_SEGMENT_BYTES - 1)

    assert writer.put(DESCRIPTOR, body(0), 8) == "spool_full"
    assert segments(spool) == []


# ---- a stalled disk


def test_a_slow_disk_costs_one_slow_call_and_then_frames_wait_in_memory(spool, writers):
    clock = ManualClock()
    disk = FaultyFilesystem(before=lambda verb: clock.advance(SLOW_SECONDS) if verb == "write" else None)
    writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
    assert writer.open()
    for number in range(100):
        assert writer.put(DESCRIPTOR, body(number), 8) is None

    assert disk.calls.count("write") == 2  # the header and one frame
    assert writer.volatile_rows == 99 * 8
    assert numbers_in(spool) == once_each(range(1))

    writer.recover()
    assert disk.calls.count("write") == 3  # one probe
    assert writer.volatile_rows == 98 * 8
    assert writer.put(DESCRIPTOR, body(100), 8) is None
    assert disk.calls.count("write") == 3

    disk.before = str
    writer.recover()
    assert writer.volatile_rows == 0
    assert writer.put(DESCRIPTOR, body(101), 8) is None
    assert numbers_in(spool) == once_each(range(102))
    assert writer.last_error == ""


def test_housekeeping_is_told_at_once_when_a_frame_begins_to_wait_and_not_by_its_own_probe(spool, writers):
    told: list[int] = []
    disk = FaultyFilesystem(0, errno.EIO, verb="write", for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk, on_wait=lambda: told.append(writer.volatile_rows))
    for number in range(5):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
    assert told == [8]
    for _ in range(3):
        writer.recover()
    assert told == [8]
    disk.mend()
    writer.recover()
    assert (told, writer.volatile_rows) == ([8], 0)


def test_a_slow_call_with_nothing_behind_it_is_forgotten_by_the_next_look(spool, writers):
    clock = ManualClock()
    disk = FaultyFilesystem(before=lambda verb: clock.advance(SLOW_SECONDS) if verb == "write" else None)
    writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    disk.before = str
    writer.recover()

    assert writer.put(DESCRIPTOR, body(1), 8) is None
    assert writer.volatile_rows == 0


class Stall:
    """Holds the writes of one thread until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.over = threading.Event()
        self.victim: threading.Thread | None = None

    def __call__(self, verb: str) -> None:
        if verb == "write" and threading.current_thread() is self.victim:
            self.reached.set()
            assert self.over.wait(30)


def test_while_one_thread_is_stuck_in_a_write_the_others_do_not_touch_the_disk(spool, writers):
    clock, stall = ManualClock(), Stall()
    disk = FaultyFilesystem(before=stall)
    writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
    assert writer.open()
    stuck = threading.Thread(target=writer.put, args=(DESCRIPTOR, body(0), 8))
    stall.victim = stuck
    stuck.start()
    assert stall.reached.wait(30)
    clock.advance(SLOW_SECONDS)
    writes = disk.calls.count("write")
    for number in range(1, 10):
        assert writer.put(DESCRIPTOR, body(number), 8) is None

    assert disk.calls.count("write") == writes
    assert writer.volatile_rows == 9 * 8
    stall.over.set()
    stuck.join(30)
    writer.recover()
    assert numbers_in(spool) == once_each(range(10))


def test_while_housekeeping_is_stuck_in_its_probe_no_prediction_waits(spool, writers):
    clock, stall = ManualClock(), Stall()
    disk = FaultyFilesystem(before=lambda verb: clock.advance(SLOW_SECONDS) if verb == "write" else None)
    writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
    for number in range(3):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
    housekeeping = threading.Thread(target=writer.recover)
    stall.victim = housekeeping
    disk.before = stall
    housekeeping.start()
    assert stall.reached.wait(30)
    writes = disk.calls.count("write")
    for number in range(3, 10):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
    writer.recover()  # another one is at it

    assert disk.calls.count("write") == writes
    stall.over.set()
    housekeeping.join(30)
    writer.recover()
    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(10))


LARGE = MAX_FRAME_BYTES - 400
RING_FRAMES = RING_BYTES // MAX_FRAME_BYTES


def test_a_ring_that_is_full_refuses_and_says_whether_the_disk_is_slow_or_broken(spool, writers):
    clock = ManualClock()
    slow = FaultyFilesystem(before=lambda verb: clock.advance(SLOW_SECONDS))
    broken = FaultyFilesystem(0, errno.EIO, for_ever=True)
    for disk, reason in ((slow, "disk_stalled"), (broken, "spool_unwritable")):
        writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
        results = [writer.put(DESCRIPTOR, body(number, LARGE), 1) for number in range(RING_FRAMES + 4)]

        assert set(results) == {None, reason}
        assert results[:RING_FRAMES] == [None] * RING_FRAMES
        assert results[-2:] == [reason] * 2
        assert writer.volatile_rows in {RING_FRAMES, RING_FRAMES + 1}


def test_a_frame_that_waited_is_never_given_up_for_one_that_came_later(spool, writers):
    disk = FaultyFilesystem(0, errno.EIO, for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk)
    accepted = 0
    while writer.put(DESCRIPTOR, body(accepted, LARGE), 1) is None:
        accepted += 1
    late: list[str | None] = []
    writes = disk.calls.count("write")

    def come_in_between(verb: str) -> None:
        if verb == "write" and disk.calls.count("write") == writes + 2:  # behind the header: the probe
            late.append(writer.put(DESCRIPTOR, body(accepted, LARGE), 1))  # takes its place in memory
            raise OSError(errno.EIO, "Input/output error")

    disk.mend()
    disk.before = come_in_between
    for _ in range(3):
        writer.recover()

    assert late == [None]
    accepted += 1
    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(accepted))


def test_an_exception_out_of_nowhere_in_a_write_stops_nobody_for_long(spool, writers):
    clock = ManualClock()

    def interrupt(verb: str) -> None:
        if verb == "write" and disk.calls.count("write") == 3:
            raise KeyboardInterrupt

    disk = FaultyFilesystem(before=interrupt)
    writer = writer_on(spool, writers, filesystem=disk, clock_ns=clock)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    with pytest.raises(KeyboardInterrupt):
        writer.put(DESCRIPTOR, body(1), 8)
    clock.advance(SLOW_SECONDS)
    assert writer.put(DESCRIPTOR, body(2), 8) is None
    writer.recover()
    assert writer.put(DESCRIPTOR, body(3), 8) is None

    assert writer.volatile_rows == 0
    assert numbers_in(spool) == Counter([0, 2, 3])


# ---- the end


def test_closing_seals_the_segment_and_refuses_what_comes_later(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    writer.close()
    writer.close()

    assert writer.put(DESCRIPTOR, body(1), 8) == "closed"
    assert not writer.open()
    writer.recover()
    assert writer.put(DESCRIPTOR, body(1), 8) == "closed"
    assert [is_locked(str(path)) for path in segments(spool)] == [False]
    assert numbers_in(spool) == once_each(range(1))


def test_closing_writes_what_waits_in_memory(spool, writers):
    disk = FaultyFilesystem(0, errno.ENOSPC, verb="write", for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk)
    for number in range(3):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
    assert writer.volatile_rows == 24
    disk.mend()
    writer.close()

    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(3))


def test_closing_waits_for_housekeeping_that_is_writing_what_waited(spool, writers):
    stall = Stall()
    disk = FaultyFilesystem(0, errno.EIO, verb="write", for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk)
    for number in range(5):
        assert writer.put(DESCRIPTOR, body(number), 8) is None
    disk.mend()
    housekeeping = threading.Thread(target=writer.recover)
    stall.victim = housekeeping
    disk.before = stall
    housekeeping.start()
    assert stall.reached.wait(30)
    closing = threading.Thread(target=writer.close)
    closing.start()
    stall.over.set()
    closing.join(30)
    housekeeping.join(30)

    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(5))


def test_what_cannot_be_written_at_the_end_stays_counted(spool, writers):
    disk = FaultyFilesystem(0, errno.EIO, for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    writer.close()

    assert writer.volatile_rows == 8
    assert "Input/output error" in writer.last_error


def test_a_segment_can_be_brought_to_stable_disk_and_one_that_is_gone_is_shipped(spool, writers):
    disk = FaultyFilesystem()
    writer = writer_on(spool, writers, filesystem=disk)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    writer.sync(segments(spool)[0].name)
    writer.sync("gone.0.seg")

    assert disk.calls.count("sync") == 2


# ---- threads, signals, garbage


def test_eight_threads_lose_nothing_and_tear_nothing(spool, writers):
    writer = writer_on(spool, writers, max_bytes=16 << 20, clock_ns=time.monotonic_ns)
    refused: list[str] = []

    def put_many(first: int) -> None:
        for number in range(first, first + 2_000):
            reason = writer.put(DESCRIPTOR, body(number, 200), 1)
            if reason is not None:
                refused.append(reason)

    threads = [threading.Thread(target=put_many, args=(2_000 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    drain(writer)

    assert refused == []
    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(16_000))
    assert sum(map(torn_bytes, segments(spool))) == 0
    assert len(segments(spool)) >= 4


def made_by(numbers: count[int]) -> int:
    """How many numbers a counter from a million on has given, without taking one."""
    return int(repr(numbers)[len("count(") : -1]) - 1_000_000


def test_a_signal_handler_may_put_while_a_put_runs(spool, writers):
    writer = writer_on(spool, writers, max_bytes=32 << 20, clock_ns=time.monotonic_ns)
    from_handler = count(1_000_000)  # a handler may be interrupted by the next signal
    put = 0

    def put_one(*_: object) -> None:
        assert writer.put(DESCRIPTOR, body(next(from_handler), 300), 1) is None

    before = signal.signal(signal.SIGALRM, put_one)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    try:
        while put < 30_000 and made_by(from_handler) < 300:
            assert writer.put(DESCRIPTOR, body(put, 300), 1) is None
            put += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    drain(writer)

    assert made_by(from_handler) >= 300
    assert numbers_in(spool) == once_each(range(put)) + Counter(range(1_000_000, next(from_handler)))
    assert sum(map(torn_bytes, segments(spool))) == 0


def test_a_destructor_may_put_while_a_put_runs(spool, writers):
    writer = writer_on(spool, writers, max_bytes=16 << 20)
    put = 0

    class Dying:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            nonlocal put
            assert writer.put(DESCRIPTOR, body(1_000_000 + put), 8) is None
            put += 1

    before = gc.get_threshold()
    gc.set_threshold(7)
    try:
        for number in range(2_000):
            Dying()
            assert writer.put(DESCRIPTOR, body(number), 8) is None
        gc.collect()
    finally:
        gc.set_threshold(*before)
    drain(writer)

    assert put == 2_000
    assert numbers_in(spool) == once_each(range(2_000)) + Counter(range(1_000_000, 1_002_000))


def test_a_put_in_the_middle_of_opening_a_segment_waits_in_memory(spool, writers):
    results: list[str | None] = []

    def put_meanwhile(verb: str) -> None:
        if verb == "open" and len(disk.calls) < 9:
            results.append(writer.put(DESCRIPTOR, body(1), 8))

    disk = FaultyFilesystem(before=put_meanwhile)
    writer = writer_on(spool, writers, filesystem=disk)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    writer.recover()

    assert results == [None]
    assert writer.volatile_rows == 0
    assert numbers_in(spool) == once_each(range(2))


# ---- fork


def test_a_forked_child_is_a_writer_of_its_own(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    parents = segments(spool)

    def put_in_child() -> None:
        stem = writer.stem
        writer.after_fork_in_child()
        assert writer.stem != stem
        assert writer.put(DESCRIPTOR, body(1), 8) is None
        assert len(segments(spool)) == 2

    assert in_forked_child(put_in_child) == 0
    assert writer.put(DESCRIPTOR, body(2), 8) is None
    (childs,) = set(segments(spool)) - set(parents)

    assert [frame.sequence for frame in frames_in(parents[0])] == [0, 2]
    assert [frame.sequence for frame in frames_in(childs)] == [1]
    assert not is_locked(str(childs))


def test_a_child_takes_nothing_along_that_waits_in_its_parents_memory(spool, writers):
    disk = FaultyFilesystem(0, errno.EIO, verb="write", for_ever=True)
    writer = writer_on(spool, writers, filesystem=disk)
    assert writer.put(DESCRIPTOR, body(0), 8) is None

    def look_in_child() -> None:
        writer.after_fork_in_child()
        assert (writer.volatile_rows, writer.last_error) == (0, "")
        disk.mend()
        writer.recover()
        assert writer.put(DESCRIPTOR, body(1), 8) is None

    assert in_forked_child(look_in_child) == 0
    disk.mend()
    writer.recover()
    assert numbers_in(spool) == once_each(range(2))


def test_a_child_does_not_keep_its_parents_segment_locked(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    (path,) = segments(spool)
    ended, end_it = os.pipe()
    begun, begin = os.pipe()
    child = fork()
    if child == 0:

        def live() -> None:
            os.close(end_it)
            writer.after_fork_in_child()
            os.write(begin, b"!")
            os.read(ended, 1)  # until the parent closes its end

        leave(live)
    os.close(begin)
    assert os.read(begun, 1) == b"!"
    locked_while_the_parent_writes = is_locked(str(path))
    writer.close()
    locked_after = is_locked(str(path))
    for handle in (end_it, ended, begun):
        os.close(handle)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert locked_while_the_parent_writes
    assert not locked_after


def test_a_child_of_a_closed_writer_is_closed(spool, writers):
    writer = writer_on(spool, writers)
    writer.close()

    def put_in_child() -> None:
        writer.after_fork_in_child()
        assert writer.put(DESCRIPTOR, body(0), 8) == "closed"

    assert in_forked_child(put_in_child) == 0


def test_children_forked_while_threads_put_and_rotate_write_whole_frames(spool, writers):
    writer = writer_on(spool, writers, max_bytes=32 << 20)
    going = threading.Event()
    counts = [0, 0]

    def put_on(which: int) -> None:
        while not going.is_set() or counts[which] < 100:
            assert writer.put(DESCRIPTOR, body(which * 10_000_000 + counts[which], 3_000), 1) is None
            counts[which] += 1
            if counts[which] > 2_000:
                return

    threads = [threading.Thread(target=put_on, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()

    def put_in_child() -> None:
        writer.after_fork_in_child()
        for number in range(20):
            assert writer.put(DESCRIPTOR, body(90_000_000 + os.getpid() * 100 + number, 30), 1) is None
        assert writer.volatile_rows == 0

    results = [in_forked_child(put_in_child) for _ in range(20)]
    going.set()
    for thread in threads:
        thread.join(60)
    writer.recover()
    found = numbers_in(spool)

    assert results == [0] * 20
    assert set(found.values()) == {1}
    assert len(found) == sum(counts) + 20 * 20


def test_a_frame_is_never_larger_than_its_prefix_says(spool, writers):
    writer = writer_on(spool, writers)
    assert writer.put(DESCRIPTOR, body(0), 8) is None
    (path,) = segments(spool)
    header = decode_header(path.read_bytes())

    assert header is not None
    assert path.stat().st_size == header.length + PREFIX.size + len(DESCRIPTOR.encoded) + len(body(0))
