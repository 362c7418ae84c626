"""The README's five-minute paths, as they stand there: its own code, run as it says, and what its commands show."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from support.pythons import command
from support.servers import ROOT, Server, collecting, joined, rows_of, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = [[42.0, 7.0, 19.9], [23.0, 1.0, 5.0]]
TRAIN = """
import joblib
from sklearn.tree import DecisionTreeClassifier
ages = [[20 + n, n % 9, n % 31] for n in range(60)]
joblib.dump(DecisionTreeClassifier().fit(ages, [row[1] < 3 for row in ages]), "model.joblib")
"""


def snippet(name: str) -> str:
    """The block of Python that begins with ``# name``."""
    found = re.search(rf"```python\n(# {re.escape(name)}\n.*?)```", README, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def folder(tmp_path):
    assert command([sys.executable, "-c", TRAIN], cwd=tmp_path).code == 0
    for name in ("score.py", "app.py"):
        (tmp_path / name).write_text(snippet(name), encoding="utf-8")
    return tmp_path


def head(folder: Path) -> list[dict[str, str]]:
    arguments = ["head", "churn", "--join", "--json", "--store", str(folder / "store")]
    return json.loads(command([sys.executable, "-m", "modeltap", *arguments]).out)


def ask(server: Server, path: str, body: object) -> object:
    answer = server.post(path, body)
    assert answer.status == 200, server.log
    return answer.json


def test_a_scoring_file_of_ones_own(folder):
    def serve(port: int) -> list[str]:
        return [sys.executable, "-m", "modeltap", "serve", "score.py", "--service", "shop", "--port", str(port)]

    with serving(serve, collecting(folder, ""), folder) as server:
        answer = ask(server, "/score", {"data": ROWS})
        pairs = joined(rows_of(folder, "inputs", 2), rows_of(folder, "predictions", 2))
    assert [row["age"] for row, _ in pairs] == ["42.0", "23.0"]
    assert [prediction["will_leave"] == "True" for _, prediction in pairs] == answer
    assert [row["inputs.spend"] for row in head(folder)] == ["19.9", "5.0"]


def test_a_fastapi_app_of_ones_own(folder):
    def serve(port: int) -> list[str]:
        return [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]

    with serving(serve, collecting(folder, "shop"), folder, ready="/docs") as server:
        answer = ask(server, "/predict", ROWS)
        pairs = joined(rows_of(folder, "inputs", 2), rows_of(folder, "predictions", 2))
    assert [prediction["prediction"] == "True" for _, prediction in pairs] == answer
    assert len({row["$RequestId"] for row, _ in pairs}) == 1


PLAIN = """
import sys
sys.modules.update(dict.fromkeys(["numpy", "pandas", "polars", "starlette", "uvicorn"]))
from modeltap import ModelDataCollector
inputs = ModelDataCollector("churn", designation="inputs", feature_names=["age", "tenure"])
inputs.collect([[42, 2.5]])
"""


def test_a_few_lines_without_any_other_package_make_a_file(tmp_path):
    places = {"MODELTAP_STORE": str(tmp_path / "store"), "MODELTAP_SPOOL": str(tmp_path / "spool")}
    done = command([sys.executable, "-c", PLAIN], **places)
    assert (done.code, done.out, done.err) == (0, "", "")
    (row,) = rows_of(tmp_path, "inputs", 1)
    assert (row["age"], row["tenure"]) == ("42", "2.5")
