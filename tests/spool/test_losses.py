"""The loss ledger: every row that was not kept ends in exactly one row of the losses."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from modeltap.core.instants import MICROSECONDS_PER_DAY, instant_text
from modeltap.core.key import LOSS_TREE, CollectionKey
from modeltap.core.schema import INT64, STRING, TIMESTAMP, TYPES
from modeltap.spool.counters import CollectionCounters
from modeltap.spool.frame import NO_ROW, decode_columns
from modeltap.spool.losses import SCHEMA, LossLedger
from modeltap.spool.writer import SpoolWriter
from modeltap.testing import FaultyFilesystem, ManualClock
from support.frames import INSTANT_US, KEY
from support.spools import DESCRIPTOR, body, frames_in, open_spool, segments

OTHER = CollectionKey("sub", "rg", "ws", "svc", "best_model", "3", "predictions")
SECOND = 1_000_000
START = INSTANT_US
DAY = START // MICROSECONDS_PER_DAY


class Loss(NamedTuple):
    """One row of the losses."""

    key: CollectionKey
    reason: str
    rows: int
    first: str
    last: str


class House:
    """A process's counters, ledger and writer, and what the spool holds of losses."""

    def __init__(self, folder: Path, **parts: Any) -> None:
        self.spool = open_spool(folder)
        self.writer = SpoolWriter(self.spool, max_bytes=1 << 20, version="1", clock_ns=ManualClock(), **parts)
        self.counters = {KEY: CollectionCounters(), OTHER: CollectionCounters()}
        self.ledger = LossLedger(START)

    def record(self, seconds: float) -> None:
        self.ledger.record(self.counters, self.writer, START + round(seconds * SECOND))

    @property
    def frames(self):
        every = [frame for path in segments(self.spool) for frame in frames_in(path)]
        return [frame for frame in every if frame.descriptor.key.tree == LOSS_TREE]

    @property
    def losses(self) -> list[Loss]:
        cells = ((frame.descriptor.key, [column[0] for column in decode_columns(frame)]) for frame in self.frames)
        return [Loss(key, *row) for key, row in cells]

    def counted(self) -> Counter[tuple[CollectionKey, str]]:
        return Counter(
            {
                (key.in_tree(LOSS_TREE), reason): rows
                for key, counters in self.counters.items()
                for counts in (counters.rejected, counters.dropped)
                for reason, rows in counts.items()
            }
        )

    def recorded(self) -> Counter[tuple[CollectionKey, str]]:
        found: Counter[tuple[CollectionKey, str]] = Counter()
        for loss in self.losses:
            found[loss.key, loss.reason] += loss.rows
        return found


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path)
    yield made
    made.writer.close()


def at(seconds: float) -> str:
    return instant_text(START + round(seconds * SECOND))


def test_rows_that_were_rejected_become_one_row_of_the_losses(house):
    house.counters[KEY].reject("ragged", 3)
    house.record(1)

    assert house.losses == [Loss(KEY.in_tree(LOSS_TREE), "ragged", 3, at(0), at(1))]


def test_nothing_is_recorded_twice(house):
    house.counters[KEY].reject("ragged", 3)
    house.record(1)
    house.record(2)
    house.counters[KEY].reject("ragged", 2)
    house.record(3)
    house.record(4)

    assert [(loss.rows, loss.first, loss.last) for loss in house.losses] == [(3, at(0), at(1)), (2, at(2), at(3))]


def test_each_collection_and_each_reason_has_rows_of_its_own(house):
    house.counters[KEY].reject("ragged", 1)
    house.counters[KEY].drop("redacted", 2)
    house.counters[OTHER].reject("ragged", 3)
    house.record(1)

    assert house.recorded() == house.counted()
    assert len(house.losses) == 3


def test_without_losses_nothing_is_written(house):
    house.record(1)

    assert segments(house.spool) == []


def test_while_the_spool_is_full_the_interval_stays_open_and_grows(house):
    number = 0
    while house.writer.put(DESCRIPTOR, body(number, 20_000), 1) is None:
        number += 1
    for second in range(1, 6):
        house.counters[KEY].reject("spool_full", 10)
        house.record(second)
    assert house.losses == []

    for path in segments(house.spool):
        path.unlink()
    house.writer.recover()
    house.record(6)
    house.counters[KEY].reject("spool_full", 1)
    house.record(7)

    assert [(loss.rows, loss.first, loss.last) for loss in house.losses] == [(50, at(0), at(6)), (1, at(6), at(7))]


def test_what_could_not_be_written_beside_what_could_is_written_later(tmp_path):
    refuse = [False]

    def full_between(verb: str) -> None:
        if refuse[0] and verb == "write":
            raise OSError(errno.ENOSPC, "No space left on device")

    house = House(tmp_path, filesystem=FaultyFilesystem(before=full_between))
    for second in range(1, 10):
        house.counters[KEY].reject("ragged", second)
        house.counters[OTHER].drop("redacted", 2 * second)
        refuse[0] = second % 3 == 0
        house.writer.recover()
        house.record(second)
    refuse[0] = False
    house.writer.recover()
    house.record(10)
    house.writer.close()

    assert house.recorded() == house.counted()


@pytest.mark.parametrize("verb", ["open", "write", "list"])
def test_whichever_call_fails_the_losses_add_up_in_the_end(tmp_path, verb):
    for number in range(8):
        disk = FaultyFilesystem(number, errno.EIO, verb=verb)
        house = House(tmp_path / str(number), filesystem=disk)
        for second in range(1, 6):
            house.counters[KEY].reject("ragged", second)
            house.record(second)
            house.writer.recover()
        house.writer.close()
        assert house.recorded() == house.counted()


def test_a_loss_has_an_id_an_instant_and_a_day_of_its_own_and_pairs_with_nothing(house):
    house.counters[KEY].reject("ragged", 1)
    house.record(1)
    house.counters[KEY].reject("ragged", 1)
    house.record(2)
    first, second = house.frames

    assert first.timestamp_us == START + SECOND
    assert (first.day, first.rows, first.first_row, first.sample_percent) == (DAY, 1, NO_ROW, 100.0)
    assert first.request_id.startswith(house.writer.stem)
    assert first.request_id != second.request_id


def test_a_clock_that_is_set_back_gives_no_interval_that_ends_before_it_begins(house):
    house.counters[KEY].reject("ragged", 1)
    house.record(100)
    house.counters[KEY].reject("ragged", 1)
    house.record(50)

    assert [(loss.first, loss.last) for loss in house.losses] == [(at(0), at(100)), (at(50), at(50))]


def test_a_ledger_that_was_not_told_when_counting_began_says_the_instant_it_was_counted(house):
    house.ledger = LossLedger()
    house.counters[KEY].reject("ragged", 1)
    house.record(5)

    assert [(loss.first, loss.last) for loss in house.losses] == [(at(5), at(5))]


def test_the_losses_have_a_schema_of_their_own():
    assert SCHEMA.columns == (("reason", STRING), ("rows", INT64), ("first", TIMESTAMP), ("last", TIMESTAMP))
    assert set(SCHEMA.types) <= set(TYPES)
