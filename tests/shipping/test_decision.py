"""The table: every question has an answer for everything that can come back."""

from __future__ import annotations

import pytest

from modeltap.errors import Conflict, StoreDenied, StoreError, StoreRefused, StoreUnavailable
from modeltap.shipping.decision import TABLE, Answer, Step, answer_of, decide, makes_unknown

ERRORS = {Answer.UNKNOWN, Answer.DENIED, Answer.CONFLICT, Answer.REFUSED}
POSSIBLE = {
    Step.SEND: ERRORS | {Answer.YES, Answer.NO_BYTES},
    Step.ASK: ERRORS | {Answer.YES, Answer.NO},
    Step.ASK_THEN_FIND: ERRORS | {Answer.YES, Answer.NO},
    Step.ASK_THEN_GIVE_UP: ERRORS | {Answer.YES, Answer.NO},
    Step.FIND: ERRORS | {Answer.THERE, Answer.GONE},
}
ENDS = {Step.SHIPPED, Step.REFUSED, Step.UNDETERMINED, Step.AGAIN}


def test_the_table_is_whole():
    assert set(TABLE) == {(step, answer) for step, answers in POSSIBLE.items() for answer in answers}


def test_every_road_can_end():
    reaches = set(ENDS)
    for _ in TABLE:
        reaches |= {asked for (asked, _), verdict in TABLE.items() if verdict.step in reaches}
        reaches |= {Step.RECORD} if Step.SEND in reaches else set()
    assert reaches == set(Step)


@pytest.mark.parametrize("asked", POSSIBLE)
def test_a_batch_ends_only_on_an_answer_that_says_so(asked):
    for answer in POSSIBLE[asked]:
        step = decide(asked, answer, unknown=False).step
        assert (step is Step.SHIPPED) == (answer is Answer.YES)
        if answer in {Answer.UNKNOWN, Answer.DENIED}:
            assert step not in ENDS
            assert decide(asked, answer, unknown=False).pause


def test_after_any_error_of_a_send_the_store_is_asked_before_anything_changes():
    for answer in ERRORS:
        assert decide(Step.SEND, answer, unknown=True).step in {Step.ASK, Step.ASK_THEN_FIND, Step.ASK_THEN_GIVE_UP}


def test_a_file_that_is_gone_is_left_again_only_if_no_outcome_was_ever_unknown():
    assert decide(Step.FIND, Answer.GONE, unknown=False).step is Step.AGAIN
    assert decide(Step.FIND, Answer.GONE, unknown=True).step is Step.UNDETERMINED


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (StoreUnavailable(""), Answer.UNKNOWN),
        (StoreDenied(""), Answer.DENIED),
        (Conflict(""), Answer.CONFLICT),
        (StoreRefused(""), Answer.REFUSED),
        (StoreError(""), Answer.UNKNOWN),
        (TimeoutError(), Answer.UNKNOWN),
        (ValueError(), Answer.UNKNOWN),
    ],
)
def test_an_error_that_is_not_known_is_an_unknown_outcome(error, answer):
    assert answer_of(error) is answer


def test_only_a_send_makes_an_outcome_unknown():
    assert makes_unknown(Step.SEND, Answer.UNKNOWN)
    assert not makes_unknown(Step.SEND, Answer.DENIED)
    assert not makes_unknown(Step.ASK, Answer.UNKNOWN)
