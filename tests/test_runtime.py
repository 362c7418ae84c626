"""What one process has open, from start to close."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modeltap.core.instants import parse_instant
from modeltap.core.key import LOSS_TREE
from modeltap.core.settings import resolve
from modeltap.runtime import SPOOL_RETRY_TICKS, Runtime
from modeltap.spool.frame import decode_columns
from modeltap.spool.locks import is_locked
from support.frames import KEY
from support.pythons import python
from support.spools import DESCRIPTOR, body, frames_in, in_forked_child, numbers_in, segments

SECONDS = 30.0
NEVER = 3_600.0
"""Between two ticks: what happens nevertheless was asked for."""


@pytest.fixture
def runtimes(tmp_path: Path) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes that ship nothing, on one spool; closes them."""
    made: list[Runtime] = []

    def make(tick_seconds: float = 0.02, **variables: str) -> Runtime:
        places = {"MODELTAP_STORE": str(tmp_path / "store"), "MODELTAP_SPOOL": str(tmp_path / "spool")}
        made.append(Runtime(resolve({**places, "MODELTAP_SHIPPER": "none", **variables}), tick_seconds))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def housekeepers() -> int:
    return sum(thread.name == "modeltap-housekeeping" for thread in threading.enumerate())


def put(runtime: Runtime, number: int) -> str | None:
    assert runtime.writer is not None
    return runtime.writer.put(DESCRIPTOR, body(number), 8)


def announced(runtime: Runtime) -> dict[str, Any]:
    assert runtime.directory is not None
    assert runtime.writer is not None
    path = Path(runtime.directory.writers) / f"{runtime.writer.stem}.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


# ---- start and close


def test_starting_opens_a_segment_and_one_thread_and_closing_leaves_a_sealed_segment(runtimes):
    before = housekeepers()
    runtime = runtimes()
    runtime.start()
    assert runtime.directory is not None
    (path,) = segments(runtime.directory)
    assert is_locked(str(path))
    assert housekeepers() == before + 1
    assert put(runtime, 1) is None

    for _ in range(3):
        runtime.close()
    assert not is_locked(str(path))
    assert housekeepers() == before
    assert put(runtime, 2) == "closed"
    assert numbers_in(runtime.directory) == Counter([1])


def test_without_a_shipper_no_agent_is_started(runtimes):
    runtime = runtimes()
    runtime.start()
    runtime.counters_of(KEY).accepted += 1
    wait_for(lambda: announced(runtime))

    assert runtime.directory is not None
    assert not {"agent.lock", "start.lock", "agent.log"} & set(os.listdir(runtime.directory.path))
    assert put(runtime, 1) is None
    assert runtime.flush(0.05, durable=False) is False
    assert runtime.flush(0.05, durable=True) is True


def test_disabled_means_no_spool_no_thread_and_no_child(runtimes, tmp_path):
    before = threading.active_count()
    runtime = runtimes(MODELTAP_DISABLED="true", MODELTAP_SHIPPER="process")
    runtime.start()
    runtime.complain("reason", "nobody is told")

    assert threading.active_count() == before
    assert runtime.writer is None
    assert runtime.flush(1.0, durable=True)
    runtime.close()
    assert os.listdir(tmp_path) == []


def test_disabled_holds_for_a_whole_process(tmp_path):
    script = (
        "import modeltap, os, threading\n"
        "got = modeltap.ModelDataCollector('m', 'inputs').collect([[1.0]])\n"
        "print(type(got).__name__, threading.active_count(), modeltap.flush(), modeltap.stats()['rejected'])"
    )
    found = python(script, MODELTAP_DISABLED="true", MODELTAP_SPOOL=str(tmp_path / "spool"))

    assert (found.out, found.err) == ("dict 1 True {}\n", "")
    assert os.listdir(tmp_path) == []


def test_a_setting_that_cannot_be_used_is_told_at_the_start(runtimes, caplog):
    with caplog.at_level(logging.WARNING, "modeltap"):
        runtimes(MODELTAP_SPOOL_MAX_BYTES="much").start()

    assert [record.message for record in caplog.records if "MODELTAP_SPOOL_MAX_BYTES='much'" in record.message]


def test_the_end_of_the_interpreter_never_raises(runtimes, tmp_path):
    runtime = runtimes(NEVER)
    runtime.start()
    (tmp_path / "spool").rename(tmp_path / "aside")
    runtime.counters_of(KEY).reject("ragged", 1)
    runtime.at_exit()
    runtime.at_exit()

    assert put(runtime, 1) == "closed"


def test_memory_mode_has_its_spool_where_files_are_memory(runtimes, tmp_path):
    runtime = runtimes(MODELTAP_DURABILITY="memory")
    runtime.start()

    assert runtime.directory is not None
    assert not runtime.directory.path.startswith(str(tmp_path))
    assert f"modeltap-{os.getuid()}" in runtime.directory.path
    assert not (tmp_path / "spool").exists()
    runtime.close()
    shutil.rmtree(runtime.directory.path)


# ---- a spool that cannot be opened


def test_rows_are_rejected_while_the_spool_cannot_be_opened(tmp_path):
    (tmp_path / "file").touch()
    script = (
        "import modeltap\n"
        "print(modeltap.ModelDataCollector('m', 'inputs').collect([[1.0], [2.0]]))\n"
        "print(modeltap.stats()['rejected'], 'opening the spool' in modeltap.stats()['problem'])"
    )
    found = python(script, MODELTAP_SPOOL=str(tmp_path / "file" / "spool"), MODELTAP_SHIPPER="none")

    assert found.out == "None\n{'no_spool': 2} True\n"
    assert found.err == ""


def test_a_spool_that_can_be_opened_later_is_opened_by_housekeeping(runtimes, tmp_path, caplog):
    (tmp_path / "spool").touch()
    runtime = runtimes()
    with caplog.at_level(logging.WARNING, "modeltap"):
        runtime.start()
        assert runtime.writer is None
        assert "rows are rejected until it can be opened" in runtime.stats()["problem"]
        (tmp_path / "spool").unlink()
        wait_for(lambda: runtime.writer is not None)

    assert put(runtime, 1) is None
    assert runtime.stats()["problem"] == ""
    assert len([record for record in caplog.records if "opening the spool" in record.message]) == 1
    assert SPOOL_RETRY_TICKS == 5


def test_a_forked_child_whose_parent_had_no_spool_opens_one_later(runtimes, tmp_path):
    (tmp_path / "spool").touch()
    runtime = runtimes()
    runtime.start()

    def collect_in_child() -> None:
        runtime.after_fork_in_child()
        assert housekeepers() == 0
        runtime.complain("no_spool", "a row was rejected")
        (tmp_path / "spool").unlink()
        wait_for(lambda: runtime.writer is not None)
        assert put(runtime, 1) is None
        runtime.close()

    assert in_forked_child(collect_in_child) == 0


# ---- keeping house


def test_a_reason_is_told_once_however_often_it_is_complained_about(runtimes, caplog):
    runtime = runtimes()
    with caplog.at_level(logging.WARNING, "modeltap"):
        runtime.start()
        for number in range(200):
            runtime.complain("ragged", f"a ragged list, number {number}")
            runtime.complain("error", f"an error, number {number}")
        runtime.close()

    assert sorted(record.message for record in caplog.records) == [
        "modeltap: a ragged list, number 0",
        "modeltap: an error, number 0",
    ]


def test_counters_are_told_when_they_change_and_at_the_end(runtimes):
    runtime = runtimes()
    runtime.start()
    counters = runtime.counters_of(KEY)
    assert runtime.counters_of(KEY) is counters
    counters.accepted += 5
    wait_for(lambda: announced(runtime))
    document = announced(runtime)
    assert runtime.writer is not None

    assert document["counters"] == {"best_model/3/inputs": counters.as_document()}
    assert (document["pid"], document["stem"]) == (os.getpid(), runtime.writer.stem)
    assert (document["workspace"], document["service"], document["version"]) == ("sub/rg/ws", "svc", "0.1.0")
    assert document["settings"]["shipper"] == "none"
    counters.accepted += 1
    runtime.close()
    assert announced(runtime)["counters"]["best_model/3/inputs"]["accepted"] == 6


def test_a_row_that_waits_in_memory_is_written_at_once_and_not_at_the_next_tick(runtimes):
    runtime = runtimes(NEVER)
    runtime.start()
    writer, directory = runtime.writer, runtime.directory
    assert writer is not None
    assert directory is not None
    for number in range(20):
        writer._stalled = True  # a false alarm: the disk is well
        assert put(runtime, number) is None
        wait_for(lambda: not writer.volatile_rows and not writer._stalled)

    assert numbers_in(directory) == Counter(range(20))


def test_losses_are_recorded_from_the_start_on(runtimes):
    runtime = runtimes()
    began = time.time_ns() // 1000
    runtime.start()
    runtime.counters_of(KEY).reject("ragged", 3)
    runtime.close()
    assert runtime.directory is not None
    frames = [frame for path in segments(runtime.directory) for frame in frames_in(path)]
    (loss,) = [frame for frame in frames if frame.descriptor.key == KEY.in_tree(LOSS_TREE)]
    (reason,), (rows,), (first,), (last,) = decode_columns(loss)

    assert (reason, rows) == ("ragged", 3)
    assert began - 5_000_000 < parse_instant(first) <= parse_instant(last) <= time.time_ns() // 1000


def test_closing_while_house_is_kept_records_every_loss_once(runtimes):
    for _ in range(20):
        runtime = runtimes(0.001)
        runtime.start()
        counters = runtime.counters_of(KEY)
        for _ in range(50):
            counters.reject("ragged", 1)
        runtime.close()
    assert runtime.directory is not None
    frames = [frame for path in segments(runtime.directory) for frame in frames_in(path)]

    assert sum(decode_columns(frame)[1][0] for frame in frames if frame.descriptor.key.tree == LOSS_TREE) == 20 * 50


def test_what_cannot_be_told_keeps_no_row_in_memory(runtimes, caplog):
    runtime = runtimes()
    with caplog.at_level(logging.WARNING, "modeltap"):
        runtime.start()
        writer, directory = runtime.writer, runtime.directory
        assert writer is not None
        assert directory is not None
        os.rename(directory.writers, directory.writers + ".aside")
        runtime.counters_of(KEY).accepted += 1
        wait_for(lambda: [record for record in caplog.records if "telling the counters" in record.message])
        writer._stalled = True
        assert put(runtime, 1) is None
        wait_for(lambda: not writer.volatile_rows)
        os.rename(directory.writers + ".aside", directory.writers)
        wait_for(lambda: announced(runtime))
        assert runtime.flush(1.0, durable=True)


def test_an_agent_that_cannot_be_started_keeps_no_row_in_memory(runtimes, caplog):
    runtime = runtimes(MODELTAP_SHIPPER="none")
    runtime.start()
    directory = runtime.directory
    assert directory is not None
    os.mkdir(directory.start_lock)
    runtime.close()
    runtime = runtimes(MODELTAP_SHIPPER="process")
    with caplog.at_level(logging.WARNING, "modeltap"):
        runtime.start()
        wait_for(lambda: [record for record in caplog.records if "housekeeping: IsADirectoryError" in record.message])
        assert runtime.writer is not None
        runtime.writer._stalled = True
        assert put(runtime, 1) is None
        wait_for(lambda: runtime.writer is not None and not runtime.writer.volatile_rows)
    runtime.close()
    os.rmdir(directory.start_lock)


# ---- fork


def test_a_forked_child_starts_anew_with_its_first_row(runtimes):
    runtime = runtimes()
    runtime.start()
    writer, directory = runtime.writer, runtime.directory
    assert writer is not None
    assert directory is not None
    counters = runtime.counters_of(KEY)
    counters.accepted += 5
    counters.reject("ragged", 1)
    wait_for(lambda: announced(runtime))
    parents = segments(directory)
    stem = writer.stem

    def collect_in_child() -> None:
        runtime.after_fork_in_child()
        assert housekeepers() == 0
        assert counters.as_document()["accepted"] == 0
        assert segments(directory) == parents
        assert put(runtime, 2) is None
        assert housekeepers() == 1
        assert writer.stem != stem
        counters.accepted += 8
        wait_for(lambda: announced(runtime))
        runtime.close()
        assert announced(runtime)["pid"] == os.getpid()
        assert announced(runtime)["counters"]["best_model/3/inputs"]["accepted"] == 8

    assert in_forked_child(collect_in_child) == 0
    assert put(runtime, 1) is None
    assert writer.stem == stem
    assert announced(runtime)["counters"]["best_model/3/inputs"]["accepted"] == 5
    runtime.close()
    rows = [frame for path in segments(directory) for frame in frames_in(path)]
    assert sum(frame.descriptor.key.tree == LOSS_TREE for frame in rows) == 1


def test_a_forked_child_of_a_closed_process_stays_closed(runtimes):
    runtime = runtimes()
    runtime.start()
    runtime.close()

    def collect_in_child() -> None:
        runtime.after_fork_in_child()
        assert put(runtime, 1) == "closed"
        runtime.complain("closed", "a row was rejected")
        assert housekeepers() == 0

    assert in_forked_child(collect_in_child) == 0


# ---- the shipper on a thread


def shippers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "modeltap-shipper"]


def test_flush_and_housekeeping_that_ask_at_once_start_one_shipper_and_close_ends_it(tmp_path):
    places = {"MODELTAP_STORE": str(tmp_path / "store"), "MODELTAP_SPOOL": str(tmp_path / "spool")}
    for _ in range(5):
        runtime = Runtime(resolve({**places, "MODELTAP_SHIPPER": "thread"}))
        runtime.start()
        assert runtime.flush(30.0, durable=False)
        assert len(shippers()) == 1
        runtime.close()
        assert shippers() == []
