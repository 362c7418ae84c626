"""Complaints: one line for each reason and minute, however often it happens."""

from __future__ import annotations

import sys
import threading

import pytest

from modeltap.spool.complaints import MAX_REASONS, Complaints
from modeltap.testing import ManualClock


class Said:
    """Complaints with what they said, and their clock."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.clock = ManualClock()
        self.complaints = Complaints(self.lines.append, self.clock)


@pytest.fixture
def said() -> Said:
    return Said()


def test_a_sentence_is_told_when_somebody_has_time_for_it(said):
    said.complaints.note("ragged", "a ragged list")
    assert said.lines == []
    said.complaints.tell()
    said.complaints.tell()

    assert said.lines == ["a ragged list"]


def test_of_one_reason_the_first_sentence_of_a_minute_is_told(said):
    for second in range(125):
        said.complaints.note("ragged", f"at {second}")
        said.complaints.note("ragged", f"again at {second}")
        said.complaints.tell()
        said.clock.advance(1)

    assert said.lines == ["at 0", "at 60", "at 120"]


def test_each_reason_has_a_minute_of_its_own(said):
    said.complaints.note("ragged", "one")
    said.complaints.tell()
    said.clock.advance(59)
    said.complaints.note("ragged", "two")
    said.complaints.note("no_spool", "three")
    said.complaints.tell()

    assert said.lines == ["one", "three"]


def test_the_memory_for_reasons_is_bounded(said):
    for number in range(3 * MAX_REASONS):
        said.complaints.note(f"reason {number}", "x")
    said.complaints.tell()
    assert len(said.lines) == MAX_REASONS

    for minute in range(5):
        said.clock.advance(60)
        said.complaints.note(f"minute {minute}", "x")
        said.complaints.tell()
        assert len(said.complaints._told) == 1


def test_a_log_that_fails_does_not_repeat_itself():
    def fail(_: str) -> None:
        raise ValueError("the log is closed")

    complaints = Complaints(fail)
    complaints.note("ragged", "x")
    with pytest.raises(ValueError):
        complaints.tell()
    complaints.tell()


def test_threads_may_note_and_tell_at_once(said):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def note_and_tell() -> None:
        for number in range(500):
            said.complaints.note(f"reason {number % 50}", f"{number % 50}")
            said.complaints.tell()

    threads = [threading.Thread(target=note_and_tell) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(before)
    assert set(said.lines) == {str(number) for number in range(50)}
