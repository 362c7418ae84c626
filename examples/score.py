"""A scoring file as it was written for Azure Machine Learning; not one line of it knows modeltap.

python examples/train.py model
AZUREML_MODEL_DIR=model modeltap serve examples/score.py
"""

import json
import os

import joblib
import pandas as pd
from azureml.monitoring import ModelDataCollector

FEATURES = [
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
]


def init():
    global model, inputs_dc, prediction_dc
    model = joblib.load(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "best_model.joblib"))
    inputs_dc = ModelDataCollector("best_model", designation="inputs", feature_names=FEATURES)
    prediction_dc = ModelDataCollector("best_model", designation="predictions", feature_names=["cultivar"])


def run(raw_data):
    rows = pd.DataFrame(json.loads(raw_data)["data"], columns=FEATURES)
    correlations = inputs_dc.collect(rows)
    result = model.predict(rows)
    prediction_dc.collect(prediction_dc.add_correlations(result, correlations))
    return result.tolist()
