"""Scoring files as people wrote them for the original: which rows they become, beside what the original wrote."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import modeltap
from modeltap import ModelDataCollector
from support import originals
from support.spooled import Spooled

WHERE = {"workspace": "Sub1/RG1/ws1", "webservice_name": "svc", "model_version": "3"}
FEATURES = ["feat1", "feat2", "feat3", "feat4", "feat5", "feat6"]


def cell(text: str) -> float | None:
    return float(text) if text not in ("", "nan") else math.nan


def test_the_rows_of_release_14_come_out_alike_and_joined_besides(spooled: Spooled):
    inputs = ModelDataCollector("best_model", identifier="inputs", feature_names=["f1", "f2", "f3"], **WHERE)
    predictions = ModelDataCollector("best_model", identifier="predictions", feature_names=["prediction1"], **WHERE)
    inputs.collect(np.array([[0.1, 1e-17, 2.0], [1 / 3, 3.0, -0.0]]))
    predictions.collect(np.array([0.25, 0.75]))
    inputs.collect(np.array([[5.0, np.nan, 1.0]]), user_correlation_id="loan-17")
    predictions.collect([0.5], user_correlation_id="loan-17")

    for designation in ("inputs", "predictions"):
        header, theirs = originals.read(f"Sub1/RG1/ws1/svc/best_model/3/{designation}/2026/11/22/data.csv")
        ours = spooled.rows(designation)
        assert [list(row.cells) for row in ours] == [header[3:]] * len(theirs)
        assert repr([list(row.data) for row in ours]) == repr([[cell(text) for text in row[3:]] for row in theirs])
        assert [row.correlation_id for row in ours] == [row[1] for row in theirs]
        assert {frame.descriptor.key.folder for frame in spooled.frames(designation)} == {
            f"Sub1/RG1/ws1/svc/best_model/3/{designation}"
        }
    assert [(left.data[0], right.data) for left, right in spooled.pairs()] == [
        (0.1, (0.25,)),
        (1 / 3, (0.75,)),
        (5.0, (0.5,)),
    ]
    assert modeltap.stats()["unpaired_rows"] == 0


def test_the_rows_of_release_21_come_out_alike_and_keep_their_ids_out_of_the_features(spooled: Spooled):
    inputs = ModelDataCollector("m_pandas", "inputs", **WHERE)
    predictions = ModelDataCollector("m_pandas", "predictions", **WHERE)
    frame = pd.DataFrame(
        {
            "a": [0.1, math.nan, 1e-17],
            "t": ["x", 'he said "hi", ok', "l1\nl2"],
            "n": [1, 2, 3],
            "b": [True, False, True],
        }
    )
    correlations = inputs.collect(frame)
    scores = pd.DataFrame({"pred": [0.1, 0.2, 0.3], "lab": ["é", "y", "z"]})
    predictions.collect(predictions.add_correlations(scores, correlations))

    header, theirs = originals.read("sub1/rg1/ws1/svc/m_pandas/3/inputs/2026/11/22/inputs.csv")
    ours = spooled.rows("inputs")
    assert [list(row.cells) for row in ours] == [header[:4]] * 3
    shown = [["" if value != value else str(value) for value in row.data] for row in ours]
    assert shown == [[text.replace("\r\n", "\n") for text in row[:4]] for row in theirs[:3]]

    header, theirs = originals.read("sub1/rg1/ws1/svc/m_pandas/3/predictions/2026/11/22/predictions.csv")
    ours = spooled.rows("predictions")
    assert [list(row.cells) for row in ours] == [header[:2]] * 3
    assert [[str(value) for value in row.data] for row in ours] == [row[:2] for row in theirs[:3]]
    assert [left.data[2] for left, _ in spooled.pairs()] == [1, 2, 3]


def test_a_row_of_a_list_is_one_row_of_its_values(spooled: Spooled):
    inputs = ModelDataCollector("m_list", "inputs", ["f1", "f2", "f3"])
    predictions = ModelDataCollector("m_list", "predictions", ["pred"])
    correlations = inputs.collect([1, "a,b", None])
    predictions.collect(predictions.add_correlations([0.7], correlations))
    predictions.collect([0.9])
    header, theirs = originals.read("sub1/rg1/ws1/svc/m_list/3/inputs/2026/11/22/inputs.csv")
    (row,) = spooled.rows("inputs")
    assert list(row.cells) == header[:3]
    assert ["" if value is None else str(value) for value in row.data] == theirs[0][:3]
    assert spooled.values("predictions") == [(0.7,), (0.9,)]


class Scoring:
    """A scoring file: ``init()`` and ``run()`` with names of their own."""

    def __init__(self, predictions: list[str], *, correlated: bool) -> None:
        self.correlated = correlated
        self.model = LinearRegression().fit(np.eye(6), np.arange(6.0))
        self.inputs_dc = ModelDataCollector("best_model", identifier="inputs", feature_names=FEATURES)
        self.prediction_dc = ModelDataCollector("best_model", identifier="predictions", feature_names=predictions)

    def run(self, raw_data: str) -> Any:
        data = np.array(json.loads(raw_data)["data"])
        result = self.model.predict(data)
        correlations = self.inputs_dc.collect(data)
        if self.correlated:
            result = self.prediction_dc.add_correlations(result, correlations)
        self.prediction_dc.collect(result)
        return self.model.predict(data).tolist()


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("names", [["prediction"], ["prediction1", "prediction2"]])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_the_documented_sample_makes_a_row_of_every_row_and_joins_it(
    spooled: Spooled, names: list[str], rows: int, correlated: bool
):
    scoring = Scoring(names, correlated=correlated)
    results = []
    for request in range(5):
        data = (np.arange(rows * 6.0).reshape(rows, 6) + request).tolist()
        results += scoring.run(json.dumps({"data": data}))
    assert [list(row.cells) for row in spooled.rows("inputs")] == [FEATURES] * (5 * rows)
    assert [row.cells for row in spooled.rows("predictions")] == [{names[0]: result} for result in results]
    pairs = spooled.pairs()
    assert len(pairs) == 5 * rows
    assert scoring.model.predict([left.data for left, _ in pairs]).tolist() == [right.data[0] for _, right in pairs]
    assert len({left.request_id for left, _ in pairs}) == 5
    stats = modeltap.stats()
    assert (stats["accepted"], stats["unpaired_rows"], stats["rejected"]) == (10 * rows, 0, {})
    assert stats["width_mismatch"] == (5 * rows if len(names) == 2 else 0)


def test_a_score_and_its_probabilities_are_one_row_after_one_input(spooled: Spooled):
    inputs = ModelDataCollector("m", identifier="inputs", feature_names=["age"])
    predictions = ModelDataCollector("m", identifier="predictions", feature_names=["no", "yes"])
    inputs.collect(np.array([[30.0]]))
    predictions.collect(np.array([0.2, 0.8]))
    inputs.collect([[31.0], [32.0], [33.0]])
    predictions.collect([[0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    assert [row.cells for row in spooled.rows("predictions")] == [
        *[{"no": 0.2, "yes": 0.8}, {"no": 0.2, "yes": 0.8}, {"no": 0.3, "yes": 0.7}, {"no": 0.4, "yes": 0.6}]
    ]
    assert len(spooled.pairs()) == 4


def test_numbers_of_a_json_body_are_one_schema_whether_whole_or_not(spooled: Spooled):
    inputs = ModelDataCollector("m", identifier="inputs", feature_names=["a", "b"])
    for body in (
        '{"data": [[1.5, 2]]}',
        '{"data": [[1, 2]]}',
        '{"data": [[2, 3.5]]}',
        '{"data": [[1, 2], [3, 4.5]]}',
        '{"data": [[7, 8]]}',
    ):
        inputs.collect(json.loads(body)["data"])
    schemas = [frame.descriptor.schema.id for frame in spooled.frames()]
    assert len(set(schemas[2:])) == 1
    assert spooled.values() == [(1.5, 2), (1, 2), (2, 3.5), (1, 2), (3, 4.5), (7, 8)]
