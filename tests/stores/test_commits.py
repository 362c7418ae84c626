"""The commit decision, on its own."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from modeltap.stores.commits import HEADER_IDENTITY, Commit, Verdict, batch_identity, decide

A, B, C = (batch_identity(name) for name in "abc")
KNOWN = [Commit(1, 0, 10, HEADER_IDENTITY), Commit(2, 10, 30, A), Commit(3, 30, 35, B)]
LATER = KNOWN[1:]


def test_a_new_batch_is_written_at_the_committed_size_and_nowhere_else():
    assert decide(KNOWN, 35, 35, 5, C) is Verdict.WRITE
    assert all(decide(KNOWN, 35, position, 5, C) is Verdict.CONFLICT for position in (0, 10, 29, 30, 34, 36, 40))


def test_a_known_batch_is_in_at_its_own_place_and_a_conflict_anywhere_else():
    assert decide(KNOWN, 35, 10, 20, A) is Verdict.COMPARE
    assert decide(KNOWN, 35, 30, 5, B) is Verdict.COMPARE
    assert decide(KNOWN, 35, 10, 19, A) is Verdict.CONFLICT
    assert decide(KNOWN, 35, 35, 20, A) is Verdict.CONFLICT


def test_a_batch_before_all_that_is_remembered_is_judged_by_its_bytes():
    assert decide(LATER, 35, 0, 10, C) is Verdict.COMPARE
    assert decide(LATER, 35, 5, 30, C) is Verdict.COMPARE
    assert decide(LATER, 35, 5, 31, C) is Verdict.CONFLICT


def test_a_file_of_which_nothing_is_remembered_is_judged_by_its_bytes():
    assert decide([], 35, 0, 35, A) is Verdict.COMPARE
    assert decide([], 35, 35, 1, A) is Verdict.WRITE
    assert decide([], 35, 34, 2, A) is Verdict.CONFLICT


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([A, B, C]))
def test_nothing_is_written_unless_it_follows_the_committed_bytes(position, length, identity):
    if decide(KNOWN, 35, position, length, identity) is Verdict.WRITE:
        assert (position, identity) == (35, C)


@given(st.text(), st.text())
def test_two_batch_ids_have_two_identities_and_none_is_the_header_s(one, other):
    assert (batch_identity(one) == batch_identity(other)) == (one == other)
    assert batch_identity(one) != HEADER_IDENTITY
