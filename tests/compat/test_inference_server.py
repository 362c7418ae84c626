"""The original's own server, two gunicorn workers, on a scoring file that imports the original's package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modeltap.compat.run import SITE
from support.pythons import command
from support.servers import BIN, EXAMPLES, Server, collecting, joined, rows_of, serving, trained, wines

pytestmark = pytest.mark.timeout(300)  # frames, models and servers load slowly on a busy machine

APP = "azureml_inference_server_http.server.entry:app"
REQUESTS = 100


def gunicorn(port: int) -> list[str]:
    return [str(BIN / "gunicorn"), "-b", f"127.0.0.1:{port}", "-w", "2", APP]


def score(server: Server) -> None:
    """Send wines, three to a request, as the original's clients do."""
    rows = [[list(wine.values())] * 3 for wine in wines(REQUESTS)]
    answers = server.post_many("/score", [{"data": data} for data in rows], at_once=4)
    assert {answer.status for answer in answers} == {200}, server.log
    assert all(isinstance(answer.json, list) and len(answer.json) == 3 for answer in answers)


def check(folder: Path) -> None:
    pairs = joined(rows_of(folder, "inputs", 3 * REQUESTS), rows_of(folder, "predictions", 3 * REQUESTS))
    assert len(pairs) == 3 * REQUESTS
    assert len({row["$RequestId"] for row, _ in pairs}) == REQUESTS
    assert len({row["$HostRequestId"] for row, _ in pairs}) == REQUESTS
    assert {prediction["cultivar"] for _, prediction in pairs} <= {"0", "1", "2"}


def test_through_modeltap_run_the_scoring_file_needs_no_change(tmp_path: Path):
    environment = collecting(
        tmp_path,
        "wine",
        AML_APP_ROOT=str(EXAMPLES),
        AZUREML_ENTRY_SCRIPT="score.py",
        AZUREML_MODEL_DIR=str(trained()),
    )

    def through_run(port: int) -> list[str]:
        return [sys.executable, "-m", "modeltap", "run", "--", *gunicorn(port)]

    with serving(through_run, environment, tmp_path) as server:
        score(server)
    check(tmp_path)


def test_through_the_entry_script_one_variable_is_enough(tmp_path: Path):
    entry = command([sys.executable, "-m", "modeltap.compat.entry"]).out.strip()
    environment = collecting(
        tmp_path,
        "wine",
        AML_APP_ROOT=str(EXAMPLES),
        AZUREML_ENTRY_SCRIPT=entry,
        AZUREML_MODEL_DIR=str(trained()),
    )
    assert SITE not in environment["PYTHONPATH"]
    with serving(gunicorn, environment, tmp_path) as server:
        score(server)
    check(tmp_path)
