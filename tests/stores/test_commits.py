"""The commit decision, on its own."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from modeltap.stores.commits import HEADER_IDENTITY, Commit, Step, batch_identity, decide

A, B, C = (batch_identity(name) for name in "abc")
KNOWN = [Commit(1, 0, 10, HEADER_IDENTITY), Commit(2, 10, 30, A), Commit(3, 30, 35, B)]
LATER = KNOWN[1:]


def test_a_new_batch_is_written_at_the_committed_size_and_nowhere_else():
    assert decide(KNOWN, 35, 35, 5, C) == (Step.WRITE, 35)
    assert all(decide(KNOWN, 35, position, 5, C).step is Step.CONFLICT for position in (0, 10, 29, 30, 34, 36, 40))


def test_a_known_batch_is_in_where_it_is_whatever_position_it_is_sent_to():
    for position in (0, 10, 30, 35, 99):
        assert decide(KNOWN, 35, position, 20, A) == (Step.COMPARE, 10)
        assert decide(KNOWN, 35, position, 5, B) == (Step.COMPARE, 30)


def test_an_identity_is_not_used_for_a_batch_of_another_length():
    assert decide(KNOWN, 35, 10, 19, A).step is Step.CONFLICT
    assert decide(KNOWN, 35, 35, 21, A).step is Step.CONFLICT


def test_a_batch_before_all_that_is_remembered_is_judged_by_its_bytes():
    assert decide(LATER, 35, 0, 10, C) == (Step.COMPARE, 0)
    assert decide(LATER, 35, 5, 30, C) == (Step.COMPARE, 5)
    assert decide(LATER, 35, 5, 31, C).step is Step.CONFLICT


def test_a_file_of_which_nothing_is_remembered_is_judged_by_its_bytes():
    assert decide([], 35, 0, 35, A) == (Step.COMPARE, 0)
    assert decide([], 35, 35, 1, A) == (Step.WRITE, 35)
    assert decide([], 35, 34, 2, A).step is Step.CONFLICT


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([A, B, C]))
def test_nothing_is_written_unless_it_follows_the_committed_bytes_and_is_new(position, length, identity):
    if decide(KNOWN, 35, position, length, identity).step is Step.WRITE:
        assert (position, identity) == (35, C)


@given(st.text(), st.text())
def test_two_batch_ids_have_two_identities_and_none_is_the_header_s(one, other):
    assert (batch_identity(one) == batch_identity(other)) == (one == other)
    assert batch_identity(one) != HEADER_IDENTITY
