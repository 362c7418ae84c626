"""Which rows of one request belong together: ordinals, counts, threads, and what stays unpaired."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import Any

import numpy as np
import pytest

import modeltap
from modeltap.capture.pairing import MAX_CALLS, UNKNOWN_ROWS, Pairing, Request, bounded_id
from modeltap.core.correlation import correlation_uuid, is_uuid
from support.spooled import Spooled


class Model:
    """The collectors of one model."""

    def __init__(self, name: str = "m") -> None:
        self._inputs = modeltap.ModelDataCollector(name, "inputs", ["x"])
        self._predictions = modeltap.ModelDataCollector(name, "predictions", ["y"])

    def inputs(self, *numbers: int) -> Any:
        return self._inputs.collect([[number] for number in numbers])

    def predictions(self, *numbers: int) -> Any:
        return self._predictions.collect([[number] for number in numbers])

    def bad_inputs(self) -> None:
        assert self._inputs.collect(object()) is None

    def bad_predictions(self) -> None:
        assert self._predictions.collect(object()) is None


def rows(spooled: Spooled, designation: str) -> list[tuple[int, int | None]]:
    return [(row.data[0], row.row) for row in spooled.rows(designation)]


def pairs(spooled: Spooled) -> list[tuple[int, int]]:
    return [(left.data[0], right.data[0]) for left, right in spooled.pairs()]


# ---- ordinals


def test_calls_of_one_scope_pair_by_their_ordinals(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1, 2)
        model.inputs(3)
        model.inputs(4, 5)
        model.predictions(1, 2)
        model.predictions(3)
        model.predictions(4, 5)
    assert rows(spooled, "inputs") == [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]
    assert pairs(spooled) == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert len({row.request_id for row in spooled.rows()}) == 1


def test_a_call_of_another_number_of_rows_pairs_with_nothing_and_is_counted(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1, 2)
        model.inputs(3)
        model.predictions(1)
        model.predictions(3)
        model.predictions(9)
    assert rows(spooled, "predictions") == [(1, None), (3, 2), (9, None)]
    assert modeltap.stats()["unpaired_rows"] == 2


def test_the_rows_of_a_batch_predicted_in_parts_are_not_guessed(spooled: Spooled):
    model = Model()
    model.inputs(1, 2, 3, 4)
    model.predictions(1, 2)
    model.predictions(3, 4)
    assert rows(spooled, "predictions") == [(1, None), (2, None), (3, None), (4, None)]
    assert modeltap.stats()["unpaired_rows"] == 4


def test_a_rejected_inputs_call_keeps_its_place(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1)
        model.bad_inputs()
        model.inputs(3)
        for number in (1, 2, 3):
            model.predictions(number)
    assert rows(spooled, "predictions") == [(1, 0), (2, None), (3, 1)]
    assert pairs(spooled) == [(1, 1), (3, 3)]


def test_a_rejected_prediction_keeps_its_place(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1)
        model.inputs(2)
        model.bad_predictions()
        model.predictions(2)
    assert pairs(spooled) == [(2, 2)]


def test_inputs_that_could_be_read_and_not_stored_are_remembered_with_their_rows(spooled: Spooled):
    refused = modeltap.ModelDataCollector("m", "inputs", workspace="one/part/too/many")
    predictions = modeltap.ModelDataCollector("m", "predictions")
    assert refused.collect([["x"], ["y"]]) is None
    predictions.collect([1, 2])
    assert rows(spooled, "predictions") == [(1, 0), (2, 1)]
    assert modeltap.stats()["rejected"] == {"bad_name": 2}


def test_every_designation_has_ordinals_of_its_own(spooled: Spooled):
    model = Model()
    others = [modeltap.ModelDataCollector("m", name) for name in ("labels", "explanations")]
    with modeltap.request():
        model.inputs(1)
        model.inputs(2)
        for number in (1, 2):
            for collector in others:
                collector.collect([[number]])
            model.predictions(number)
    for designation in ("labels", "explanations", "predictions"):
        assert rows(spooled, designation) == [(1, 0), (2, 1)]


# ---- without inputs, or before them


def test_without_inputs_rows_count_from_zero_and_run_on(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.predictions(1, 2)
        model.predictions(3)
    assert rows(spooled, "predictions") == [(1, 0), (2, 1), (3, 2)]
    assert modeltap.stats()["unpaired_rows"] == 0


def test_a_prediction_before_its_inputs_pairs_when_it_is_as_long(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.predictions(1, 2)
        model.inputs(1, 2)
    assert pairs(spooled) == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    "early", [[(1,)], [(1, 2, 3)], [(1,), (2,)], [(1, 2), (3, 4)]], ids=["shorter", "longer", "two halves", "twice"]
)
def test_predictions_before_their_inputs_that_do_not_fit_meet_none_by_chance(
    spooled: Spooled, early: list[tuple[int, ...]]
):
    model = Model()
    with modeltap.request():
        for numbers in early:
            model.predictions(*numbers)
        model.inputs(1, 2)
    assert pairs(spooled) == []


def test_a_prediction_before_the_inputs_counts_as_the_first(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.predictions(1)
        model.inputs(1)
        model.predictions(2)
        model.inputs(3)
        model.inputs(4)
        model.predictions(4)
    assert pairs(spooled) == [(1, 1), (4, 4)]
    assert rows(spooled, "predictions") == [(1, 0), (2, None), (4, 2)]


def test_no_two_predictions_of_a_scope_ever_have_one_place(spooled: Spooled):
    generator = np.random.default_rng(7)
    model = Model()
    for _ in range(200):
        with modeltap.request():
            for number in range(generator.integers(1, 8)):
                numbers = [number] * int(generator.integers(1, 3))
                if generator.random() < 0.5:
                    model.inputs(*numbers)
                elif generator.random() < 0.9:
                    model.predictions(*numbers)
                else:
                    model.bad_predictions()
    for designation in ("inputs", "predictions"):
        places = [row.pair for row in spooled.rows(designation) if row.row is not None]
        assert len(places) == len(set(places))


# ---- threads


def run(*calls: Any) -> None:
    """Each call in a thread of its own, one after the other, in this scope."""
    for call in calls:
        thread = threading.Thread(target=copy_context().run, args=(call,))
        thread.start()
        thread.join()


def test_threads_of_one_scope_pair_each_with_its_own_inputs(spooled: Spooled):
    model = Model()
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        model.inputs(number)
        barrier.wait()
        model.predictions(number)

    with modeltap.request():
        threads = [threading.Thread(target=copy_context().run, args=(work, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(pairs(spooled)) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert len({row.request_id for row in spooled.rows()}) == 1


def test_another_thread_pairs_with_the_one_inputs_call_of_the_scope(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1)
        run(lambda: model.predictions(1))
    assert pairs(spooled) == [(1, 1)]


def test_another_thread_pairs_with_nothing_where_it_is_not_certain(spooled: Spooled):
    model = Model()
    with modeltap.request():
        model.inputs(1)
        model.inputs(2)
        run(lambda: model.predictions(2))
    with modeltap.request():
        model.inputs(3)
        run(lambda: model.predictions(3), lambda: model.predictions(4))
    assert rows(spooled, "predictions") == [(2, None), (3, 0), (4, None)]


# ---- ids and numbers


def test_request_ids_are_uuids_in_form_and_never_repeat():
    found = [Request().request_id for _ in range(1000)]
    assert len(set(found)) == 1000
    assert all(is_uuid(request_id) for request_id in found)


@pytest.mark.parametrize(
    ("first", "rows"), [(0, 1), (0, 2), (5, 3), (0xFFFFFE, 1), (None, 3), (0, 0), (0xFFFFFF, 1), (0, 0xFFFFFF)]
)
def test_the_short_way_to_a_correlation_id_gives_the_documented_one(first: int | None, rows: int):
    request = Request()
    expected = correlation_uuid(request.request_id, -1 if first is None else first, rows)
    assert request.correlation_uuid(first, rows) == expected


def test_a_scope_of_very_many_calls_stays_small_and_pairs_its_last_ones():
    pairing = Pairing(Request(), None)
    for number in range(3 * MAX_CALLS):
        assert pairing.add_inputs(1, "lane") == number
        call = pairing.expected("predictions", "lane")
        assert call == (number, 1)
        assert pairing.place("predictions", 1, call) == number
    assert len(pairing._lanes["lane"].inputs) <= MAX_CALLS


def test_a_call_that_was_forgotten_pairs_with_nothing():
    pairing = Pairing(Request(), None)
    for _ in range(MAX_CALLS + 2):
        pairing.add_inputs(1, "lane")
    assert pairing.expected("predictions", "lane") is None


def test_an_inputs_call_of_unknown_rows_pairs_with_none_of_any_number():
    pairing = Pairing(Request(), None)
    pairing.add_inputs(UNKNOWN_ROWS, "lane")
    for number in (0, 1, 2):
        assert pairing.place("predictions", number, pairing.expected("predictions", "lane")) is None


class Textless:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", "a"),
        (17, "17"),
        (b"x", "b'x'"),
        ("x" * 5000, "x" * 4096),
        ("\ud800", "?"),
        (Textless(), ""),
        ("é\n", "é\n"),
    ],
)
def test_an_id_is_bounded_text(given: object, expected: str):
    assert bounded_id(given) == expected
