"""A FastAPI app with collection: one middleware, one wrapped model.

python examples/train.py model
AZUREML_MODEL_DIR=model MODELTAP_SERVICE=wine uvicorn --app-dir examples app:app
"""

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

import modeltap

app = FastAPI(title="Which cultivar is this wine from?")
app.add_middleware(modeltap.Middleware)
model = modeltap.wrap(joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "best_model.joblib")), "best_model")


class Wines(BaseModel):
    data: list[dict[str, float]]


@app.get("/")
def health():
    return {"status": "ok"}


@app.post("/score")
def score(wines: Wines):
    rows = pd.DataFrame(wines.data, columns=model.feature_names_in_)
    return {"cultivar": model.predict(rows).tolist()}
