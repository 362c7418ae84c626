"""Whatever is collected: never an exception, never a word, and every offered row is counted once."""

from __future__ import annotations

import math
import shutil
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import modeltap
from modeltap.core.correlation import CORRELATION_COLUMNS
from support import hostile
from support.pythons import ROOT, python
from support.spooled import Spooled, Start, Taken

VALUES = 100
"""Of one example. Each is collected twice: 100 examples are 20,000 inputs, the 10,000 of a night 2,000,000."""


def counted() -> int:
    """All rows that were offered so far, whatever became of them."""
    stats = modeltap.stats()
    return int(stats["accepted"] + stats["off"] + stats["sampled_out"] + sum(stats["rejected"].values()))


def collect(collector: modeltap.ModelDataCollector, value: Any, user: Any) -> Any:
    """Hand over one value; whatever comes back must be what the counters say."""
    before, accepted = counted(), modeltap.stats()["accepted"]
    found = collector.collect(value, user)
    if found is None:
        assert counted() > before, "rejected, and not counted"
    else:
        assert tuple(found) == CORRELATION_COLUMNS
        assert counted() - before == modeltap.stats()["accepted"] - accepted, "taken, and counted as rejected"
    return found


def offer(random: Random, inputs: modeltap.ModelDataCollector, predictions: modeltap.ModelDataCollector) -> None:
    """Hand over one value as inputs and, with correlations, as predictions."""
    value = hostile.value(random)
    user = hostile.scalar(random) if random.random() < 0.1 else ""
    correlations = collect(inputs, value, user)
    if random.random() < 0.05:
        correlations = hostile.value(random)
    collect(predictions, predictions.add_correlations(value, correlations), user)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(8 * 3600)
def test_no_value_raises_or_prints_and_every_row_is_counted(start: Start, capfd: pytest.CaptureFixture[str]):
    @settings(max_examples=100 if settings.default is None else settings.default.max_examples)
    @given(seed=st.integers(0, 2**64 - 1))
    def check(seed: int) -> None:
        random = Random(seed)
        spooled = start()
        inputs = modeltap.ModelDataCollector("m", "inputs", hostile.value(random) if random.random() < 0.3 else None)
        predictions = modeltap.ModelDataCollector("m", "predictions", ["y"])
        for _ in range(VALUES):
            if random.random() < 0.3:
                with modeltap.request(hostile.scalar(random), hostile.scalar(random)):
                    offer(random, inputs, predictions)
            else:
                offer(random, inputs, predictions)
        assert len(spooled.rows()) == modeltap.stats()["accepted"]
        modeltap.close()
        shutil.rmtree(spooled.root)

    check()
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variables", [{"MODELTAP_COLLECT_MODEL_DATA": "false"}, {"MODELTAP_DISABLED": "true"}])
def test_switched_off_no_value_raises_and_a_dict_always_comes_back(start: Start, variables: dict[str, str]):
    start(**variables)
    random = Random(1)
    inputs, predictions = modeltap.ModelDataCollector("m", "inputs"), modeltap.ModelDataCollector("m", "predictions")
    for _ in range(500):
        value, user = hostile.value(random), hostile.scalar(random)
        correlations = inputs.collect(value, user)
        assert correlations is not None
        assert predictions.collect(predictions.add_correlations(value, correlations)) is not None
    stats = modeltap.stats()
    assert stats["off"] > 500
    assert (stats["accepted"], stats["rejected"]) == (0, {})


def test_a_program_with_pythons_own_settings_hears_nothing():
    script = """
import sys, warnings
from random import Random
import modeltap
from support import hostile
random = Random(2)
inputs, predictions = modeltap.ModelDataCollector("m", "inputs"), modeltap.ModelDataCollector("m", "predictions")
for _ in range(1000):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = hostile.value(random)
    warnings.simplefilter("always")
    correlations = inputs.collect(value)
    predictions.collect(predictions.add_correlations(value, correlations))
modeltap.close()
"""
    ended = python(script, paths=[ROOT / "tests"], MODELTAP_SHIPPER="none")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_wrapped_models_give_back_whatever_their_model_gives(spooled: Spooled):
    random = Random(3)
    given: list[Any] = []

    class Model:
        def predict(self, x: Any) -> Any:
            given.append(hostile.value(random))
            return given[-1]

    model = modeltap.wrap(Model(), "m")
    for _ in range(300):
        assert model.predict(hostile.value(random)) is given[-1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_passes_and_leaves_a_collector_that_works(spooled: Spooled, error: type[BaseException]):
    class Ending:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise error

    collector = modeltap.ModelDataCollector("m", "inputs")
    with pytest.raises(error):
        collector.collect(Ending())
    assert collector.collect([1]) is not None
    assert spooled.values() == [(1,)]


# ---- what is accepted comes back

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CELLS = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXT)
COLUMNS = st.one_of(*[
    st.lists(st.one_of(st.none(), cell), min_size=3, max_size=3)
    for cell in (st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXT)
])  # fmt: skip
KINDS = {bool: "bool", int: "int64", float: "float64", str: "string"}


def same(found: Any, expected: Any) -> bool:
    return type(found) is type(expected) and repr(found) == repr(expected)


def test_cells_of_one_type_come_back_equal_in_value_and_type(taken: Taken):
    @given(st.dictionaries(TEXT.filter(bool), COLUMNS, min_size=1, max_size=5))
    def check(columns: dict[str, list[Any]]) -> None:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for value in (rows, columns, [list(row.values()) for row in rows]):
            found = taken(value)
            assert all(
                same(cell, whole)
                for row, given in zip(found, rows, strict=True)
                for cell, whole in zip(row.data, given.values(), strict=True)
            )
            for column, kind in zip(columns.values(), found[0].kinds, strict=True):
                assert kind in {KINDS.get(type(cell), "null") for cell in column}

    check()


def test_one_row_of_anything_plain_comes_back(taken: Taken):
    @given(st.lists(CELLS, min_size=1, max_size=8))
    def check(row: list[Any]) -> None:
        (found,) = taken([row])
        assert all(same(cell, given) for cell, given in zip(found.data, row, strict=True))
        assert found.kinds == tuple(KINDS.get(type(cell), "null") for cell in row)

    check()


def test_arrays_of_numbers_come_back(taken: Taken):
    dtypes = st.one_of(
        arrays.floating_dtypes(sizes=(16, 32, 64)),
        arrays.integer_dtypes(),
        arrays.unsigned_integer_dtypes(),
        arrays.boolean_dtypes(),
    )

    @given(arrays.arrays(dtypes, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6)))
    def check(array: np.ndarray) -> None:
        expected = [
            [str(cell) if type(cell) is int and cell >= 2**63 else cell for cell in row] for row in array.tolist()
        ]
        decimals = {place for row in expected for place, cell in enumerate(row) if type(cell) is str}
        expected = [[str(cell) if place in decimals else cell for place, cell in enumerate(row)] for row in expected]
        for value in (array, np.asfortranarray(array), pd.DataFrame(array)):
            found = [list(row.data) for row in taken(value)]
            assert all(
                same(cell, given) or (type(cell) is float and math.isnan(cell) and math.isnan(given))
                for row, whole in zip(found, expected, strict=True)
                for cell, given in zip(row, whole, strict=True)
            )

    check()
