"""Wrapped models and functions: collected as they are called, and otherwise as they were."""

from __future__ import annotations

import asyncio
import copy
import inspect
import io
import pickle
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

import modeltap
from support.spooled import Spooled, Start

FRAME = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0], "income": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]})
UNNAMED = pytest.mark.filterwarnings("ignore:X does not have valid feature names")
LABELS = ["no", "no", "no", "yes", "yes", "yes"]


def fitted() -> LogisticRegression:
    return LogisticRegression().fit(FRAME, LABELS)


# ---- what is collected


def test_a_prediction_is_collected_with_its_input_and_returned_unchanged(spooled: Spooled):
    bare = fitted()
    model = modeltap.wrap(bare, "churn", version="7")
    result = model.predict(FRAME)
    assert isinstance(result, np.ndarray)
    assert result.tolist() == bare.predict(FRAME).tolist() == LABELS
    pairs = spooled.pairs()
    assert [left.cells for left, _ in pairs] == FRAME.to_dict(orient="records")
    assert [right.cells for _, right in pairs] == [{"prediction": label} for label in LABELS]
    assert {frame.descriptor.key.folder for frame in spooled.frames()} == {
        "default/default/default/default/churn/7/inputs",
        "default/default/default/default/churn/7/predictions",
    }


@UNNAMED
def test_names_come_from_the_fitted_features_and_classes(spooled: Spooled):
    model = modeltap.wrap(fitted(), "churn")
    probabilities = model.predict_proba(FRAME.to_numpy()[:1].tolist())
    decisions = model.decision_function(pl.from_pandas(FRAME[:2]))
    rows = spooled.rows()
    assert rows[0].cells == {"age": 20.0, "income": 1.0}
    assert rows[1].cells == {"probability_no": probabilities[0][0], "probability_yes": probabilities[0][1]}
    assert [row.cells for row in spooled.rows("predictions")[1:]] == [{"decision": value} for value in decisions]
    assert len(spooled.pairs()) == 3


def test_several_outputs_are_numbered(spooled: Spooled):
    data = FRAME.to_numpy()
    modeltap.wrap(MultiOutputRegressor(LinearRegression()).fit(data, data), "m").predict(data[:1])
    assert list(spooled.rows("predictions")[0].cells) == ["prediction_0", "prediction_1"]
    spread = LinearSVC().fit(data, ["a", "b", "c"] * 2)
    modeltap.wrap(spread, "m").decision_function(data[:1])
    assert list(spooled.rows("predictions")[1].cells) == ["decision_a", "decision_b", "decision_c"]


def test_an_exception_is_collected_with_its_input_and_raised_as_it_is(spooled: Spooled):
    model = modeltap.wrap(fitted(), "churn")
    bad = FRAME[:1].rename(columns={"age": "years"})
    with pytest.raises(ValueError, match="feature names") as caught:
        model.predict(bad)
    (inputs,), (failure,) = spooled.rows("inputs"), spooled.rows("exceptions")
    assert inputs.cells == {"years": 20.0, "income": 1.0}
    assert failure.pair == inputs.pair
    assert failure.cells == {"type": "ValueError", "message": str(caught.value)}
    assert spooled.rows("predictions") == []


@UNNAMED
def test_a_failure_never_takes_the_place_of_another_call(spooled: Spooled):
    model = modeltap.wrap(fitted(), "churn")
    with modeltap.request("host"):
        model.predict(FRAME[:1])
        for bad in ([["x", "y"]], object(), None, [[1.0]]):
            with pytest.raises((ValueError, TypeError)):
                model.predict(bad)
        model.predict(FRAME[3:4])
        model.predict_proba(FRAME[5:6])
    pairs = [(left.data[0], right.data[0]) for left, right in spooled.pairs()]
    assert pairs[:2] == [(20.0, "no"), (50.0, "yes")]
    assert pairs[2][0] == 70.0
    failures = spooled.pairs("inputs", "exceptions")
    assert [(left.data, right.cells["type"]) for left, right in failures] == [
        (("x", "y"), "ValueError"),
        ((1.0,), "ValueError"),
    ]
    assert len(spooled.rows("exceptions")) == 4
    assert {row.host_request_id for row in spooled.rows()} == {"host"}


def test_each_call_is_a_request_unless_it_stands_in_one(spooled: Spooled):
    model = modeltap.wrap(fitted(), "churn")
    for place in range(10):
        model.predict(FRAME[place % 6 : place % 6 + 1])
    assert len({row.request_id for row in spooled.rows()}) == 10
    with modeltap.request():
        model.predict(FRAME)
        model.predict(FRAME)
    assert len({row.request_id for row in spooled.rows()[20:]}) == 1
    assert len(spooled.pairs()) == 22


def test_arguments_by_name_are_collected_too(spooled: Spooled):
    modeltap.wrap(fitted(), "churn").predict(X=FRAME[:1])
    assert spooled.rows("inputs")[0].cells == {"age": 20.0, "income": 1.0}


def test_a_message_is_bounded_and_one_that_cannot_be_told_is_empty(spooled: Spooled):
    class Untold(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    class Model:
        def predict(self, x: Any) -> Any:
            raise (Untold() if x == [1] else KeyError("x" * 10_000))

    model = modeltap.wrap(Model(), "m")
    with pytest.raises(Untold):
        model.predict([1])
    with pytest.raises(KeyError):
        model.predict([2])
    assert [row.cells["type"] for row in spooled.rows("exceptions")] == [
        "test_a_message_is_bounded_and_one_that_cannot_be_told_is_empty.<locals>.Untold",
        "KeyError",
    ]
    assert [len(row.cells["message"]) for row in spooled.rows("exceptions")] == [0, 2000]


class Shape:
    """A result whose shape is its own kind of thing."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    @property
    def shape(self) -> Any:
        if isinstance(self._shape, Exception):
            raise self._shape
        return self._shape


@pytest.mark.parametrize("shape", [None, (None, 3), (1, 10**12), "ab", 5, RuntimeError("no shape"), lambda: (1, 2)])
def test_a_result_of_any_kind_is_given_back(spooled: Spooled, shape: Any):
    result = Shape(shape)

    class Model:
        def predict(self, x: Any) -> Any:
            return result

    assert modeltap.wrap(Model(), "m").predict([[1]]) is result
    assert modeltap.stats()["rejected"] == {"unsupported_type": 1}


def test_interrupts_are_no_failures_of_the_model(spooled: Spooled):
    class Model:
        def predict(self, x: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        modeltap.wrap(Model(), "m").predict([[1]])
    assert [row.designation for row in spooled.rows()] == ["inputs"]


def test_switched_off_a_wrapped_model_predicts_all_the_same(start: Start):
    spooled = start(MODELTAP_COLLECT_MODEL_DATA="false")
    assert modeltap.wrap(fitted(), "churn").predict(FRAME).tolist() == LABELS
    assert spooled.rows() == []
    assert modeltap.stats()["off"] == 12


# ---- everything else is the model's own


def test_a_wrapped_model_is_the_model_to_all_who_ask(spooled: Spooled):
    bare = fitted()
    model = modeltap.wrap(bare, "churn")
    assert isinstance(model, LogisticRegression)
    assert isinstance(model, BaseEstimator)
    assert model.__class__ is LogisticRegression
    assert is_classifier(model)
    assert repr(model) == repr(bare)
    assert set(dir(bare)) == set(dir(model))
    assert model.coef_ is bare.coef_
    assert model.score(FRAME, LABELS) == 1.0
    assert model.get_params() == bare.get_params()
    assert spooled.rows() == []
    with pytest.raises(AttributeError, match="nothing"):
        model.nothing  # noqa: B018  the access is what is tested
    assert not hasattr(modeltap.wrap(LinearSVC(), "m"), "predict_proba")


def test_attributes_are_set_and_deleted_on_the_model(spooled: Spooled):
    bare = fitted()
    model = modeltap.wrap(bare, "churn")
    model.threshold = 0.7
    assert bare.threshold == 0.7
    del model.threshold
    assert not hasattr(bare, "threshold")
    model.set_params(C=3.0)
    assert bare.C == 3.0
    assert model.fit(FRAME, LABELS) is bare


def test_a_method_keeps_its_name_text_and_signature(spooled: Spooled):
    bare = fitted()
    model = modeltap.wrap(bare, "churn")
    for name in ("predict", "predict_proba", "decision_function"):
        ours, own = getattr(model, name), getattr(bare, name)
        assert (ours.__name__, ours.__doc__) == (own.__name__, own.__doc__)
        assert inspect.signature(ours) == inspect.signature(own)


def test_pickling_and_copying_give_the_bare_model(spooled: Spooled):
    bare = fitted()
    model = modeltap.wrap(bare, "churn")
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    copies = [copy.copy(model), copy.deepcopy(model), joblib.load(file)]
    copies += [pickle.loads(pickle.dumps(model, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for found in copies:
        assert type(found) is LogisticRegression
        assert found is not bare
        assert found.predict(FRAME).tolist() == LABELS
    assert b"modeltap" not in pickle.dumps(bare)
    assert spooled.rows() == []


def test_a_wrapped_model_is_cloned_and_stands_in_pipelines(spooled: Spooled):
    model = modeltap.wrap(LogisticRegression(C=3.0), "churn")
    assert type(clone(model)) is LogisticRegression
    assert clone(model).C == 3.0
    assert len(cross_val_score(model, FRAME, LABELS, cv=3)) == 3
    assert spooled.rows() == []
    pipeline = make_pipeline(StandardScaler(), model).fit(FRAME, LABELS)
    assert pipeline.predict(FRAME).tolist() == LABELS
    whole = modeltap.wrap(make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, LABELS), "whole")
    whole.predict(FRAME[:1])
    assert len(whole) == 2
    assert [name for name, _ in pipeline.steps] == ["standardscaler", "logisticregression"]
    check_is_fitted(pipeline)
    check_is_fitted(model)
    with pytest.raises(NotFittedError):
        check_is_fitted(modeltap.wrap(LogisticRegression(), "m"))
    assert vars(model) is vars(pipeline[1])
    assert type(whole[0]) is StandardScaler
    assert type(whole["logisticregression"]) is LogisticRegression


class Everything:
    """A model with every special method that somebody may ask for."""

    def __init__(self) -> None:
        self.entered = 0

    def __call__(self, x: Any, scale: float = 1.0) -> Any:
        return [value * scale for value in x]

    def __len__(self) -> int:
        return 3

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])

    def __getitem__(self, key: Any) -> Any:
        return key

    def __contains__(self, key: Any) -> bool:
        return key == 1

    def __enter__(self) -> int:
        self.entered += 1
        return self.entered

    def __exit__(self, *error: object) -> bool:
        return True


def test_special_methods_are_there_when_the_model_has_them(spooled: Spooled):
    bare = Everything()
    model = modeltap.wrap(bare, "m")
    assert (len(model), bool(model), list(model), model["k"], 1 in model, 2 in model) == (
        3,
        False,
        [1, 2],
        "k",
        True,
        False,
    )
    with model as entered:
        raise KeyError("is swallowed by the model")
    assert (entered, bare.entered) == (1, 1)
    assert model([1, 2], scale=2.0) == [2.0, 4.0]
    assert [(left.data, right.data) for left, right in spooled.pairs()] == [((1, 2), (2.0, 4.0))]


def test_special_methods_are_not_there_when_the_model_has_none(spooled: Spooled):
    model = modeltap.wrap(fitted(), "churn")
    assert bool(model)
    assert not callable(model)
    for name in ("__len__", "__iter__", "__getitem__", "__call__", "__enter__"):
        assert not hasattr(model, name), name
    with pytest.raises(TypeError):
        len(model)


def test_a_model_with_slots_or_without_a_class_of_its_own_is_wrapped(spooled: Spooled):
    class Slotted:
        __slots__ = ("value",)

        def predict(self, x: Any) -> Any:
            return self.value

    model = modeltap.wrap(Slotted(), "m")
    model.value = 7
    assert model.predict([1]) == 7
    assert modeltap.wrap(sum, "m")([1, 2]) == 3
    assert [row.data for row in spooled.rows()] == [(1,), (7,), (1, 2), (3,)]


def test_names_that_cannot_be_read_leave_the_columns_numbered(spooled: Spooled):
    class Unfitted:
        @property
        def feature_names_in_(self) -> Any:
            raise RuntimeError("not fitted")

        classes_ = 17

        def predict_proba(self, x: Any) -> Any:
            return np.array([[0.5, 0.5]])

    assert modeltap.wrap(Unfitted(), "m").predict_proba([[1]]).tolist() == [[0.5, 0.5]]
    assert [list(row.cells) for row in spooled.rows()] == [["c0"], ["probability_0", "probability_1"]]


# ---- functions


def test_a_function_is_collected(spooled: Spooled):
    @modeltap.collect("adding", version="2")
    def add(values: list[list[int]]) -> list[int]:
        """Add each row."""
        return [sum(row) for row in values]

    assert add([[1, 2], [3, 4]]) == [3, 7]
    assert add(values=[[5, 6]]) == [11]
    assert [(left.data, right.data) for left, right in spooled.pairs()] == [
        ((1, 2), (3,)),
        ((3, 4), (7,)),
        ((5, 6), (11,)),
    ]
    assert (add.__name__, add.__doc__) == ("add", "Add each row.")
    assert list(inspect.signature(add).parameters) == ["values"]
    assert spooled.frames()[0].descriptor.key.version == "2"
    assert not inspect.iscoroutinefunction(add)


def test_an_async_function_is_collected(spooled: Spooled):
    @modeltap.collect("doubling")
    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return 2 * value

    async def main() -> list[int]:
        return await asyncio.gather(*[double(number) for number in range(50)])

    assert inspect.iscoroutinefunction(double)
    assert asyncio.run(main()) == [2 * number for number in range(50)]
    pairs = spooled.pairs()
    assert len(pairs) == 50
    assert all(right.data[0] == 2 * left.data[0] for left, right in pairs)
    assert len({left.request_id for left, _ in pairs}) == 50


def test_methods_are_collected_without_their_self(spooled: Spooled):
    class Scorer(list):  # a model that has a length
        @modeltap.collect("m")
        def score(self, value: int, factor: int = 2) -> int:
            return value * factor

        @modeltap.collect("m")
        async def score_async(self, value: int) -> int:
            return -value

        @classmethod
        @modeltap.collect("m")
        def of(cls, value: int) -> int:
            return value

        @staticmethod
        @modeltap.collect("m")
        def plain(value: int) -> int:
            return value

    scorer = Scorer()
    results = [scorer.score(1), scorer.score(2, 5), scorer.score(value=3), Scorer.of(4), Scorer.plain(5)]
    assert [*results, asyncio.run(scorer.score_async(6))] == [2, 10, 6, 4, 5, -6]
    assert [row.data for row in spooled.rows("inputs")] == [(number,) for number in range(1, 7)]
    assert [right.data[0] for _, right in spooled.pairs()] == [*results, -6]


def test_the_first_of_several_arguments_is_collected_and_all_that_have_names(spooled: Spooled):
    @modeltap.collect("m")
    def weigh(value: Any = 0, weight: Any = 1) -> Any:
        return 1

    weigh([1, 2], [3, 4])
    weigh(value=5, weight=6)
    weigh()
    assert [row.cells for row in spooled.rows("inputs")] == [
        {"c0": 1, "c1": 2},
        {"value": 5, "weight": 6},
        {"value": None, "weight": None},
    ]


def test_an_exception_of_a_function_is_collected_and_raised(spooled: Spooled):
    class Wrong(LookupError):
        pass

    error = Wrong("this one")

    @modeltap.collect("m")
    def fail(value: int) -> int:
        raise error

    @modeltap.collect("m")
    async def fail_later(value: int) -> int:
        raise error

    with pytest.raises(Wrong) as caught:
        fail(1)
    assert caught.value is error
    with pytest.raises(Wrong):
        asyncio.run(fail_later(2))
    assert [left.data for left, _ in spooled.pairs("inputs", "exceptions")] == [(1,), (2,)]
    assert {row.cells["message"] for row in spooled.rows("exceptions")} == {"this one"}


def test_functions_inside_functions_keep_their_own_pairs(spooled: Spooled):
    @modeltap.collect("m")
    def count_down(value: int) -> int:
        if value:
            count_down(value - 1)
        return -value

    count_down(3)
    pairs = spooled.pairs()
    assert sorted((left.data[0], right.data[0]) for left, right in pairs) == [(0, 0), (1, -1), (2, -2), (3, -3)]
    assert len({left.request_id for left, _ in pairs}) == 1


def test_a_function_without_a_signature_is_collected(spooled: Spooled):
    assert modeltap.collect("m")(max)([1, 3, 2]) == 3
    assert modeltap.collect("m")(dict)({"a": 1}) == {"a": 1}
    assert [row.data for row in spooled.rows()] == [(1, 3, 2), (3,), (1,), (1,)]


def test_a_cancelled_call_leaves_its_input(spooled: Spooled):
    @modeltap.collect("m")
    async def wait(value: int) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.ensure_future(wait(1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [row.designation for row in spooled.rows()] == ["inputs"]


def test_nothing_is_opened_before_the_first_call(start: Start, tmp_path: Any):
    start()

    @modeltap.collect("m")
    def score(value: int) -> int:
        return value

    assert not (tmp_path / "spool").exists()
    score(1)
    assert (tmp_path / "spool").exists()
