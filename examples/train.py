"""Train the model that the examples serve: which cultivar a wine comes from, by 13 measurements.

python examples/train.py FOLDER     writes FOLDER/best_model.joblib
"""

import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
wine = load_wine(as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression())
model.fit(wine.data, wine.target)
joblib.dump(model, folder / "best_model.joblib")
