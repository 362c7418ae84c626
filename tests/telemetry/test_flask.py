"""A Flask service under one gunicorn sync worker: one thread, one context, a thousand requests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.servers import collecting, joined, rows_of, serving

pytestmark = pytest.mark.timeout(300)  # frames, models and servers load slowly on a busy machine

APPS = Path(__file__).resolve().parents[1] / "support" / "apps"


@pytest.mark.parametrize(
    ("app", "paths"),
    [("flask_app:app", ["/score"]), ("flask_app:wrapped", ["/score", "/stream"])],
    ids=["seen through flask.g", "in the middleware"],
)
def test_a_thousand_requests_in_a_row_are_a_thousand_requests_with_every_pair_joined(
    app: str, paths: list[str], tmp_path: Path
):
    def gunicorn(port: int) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "--chdir", str(APPS), "-w", "1", "-b", f"127.0.0.1:{port}", app]

    with serving(gunicorn, collecting(tmp_path, "flask"), tmp_path) as server:
        for number in range(1000):
            answer = server.post(
                paths[number % len(paths)], {"number": number}, {"x-request-id": f"host-{number % 10}"}
            )
            assert answer.json == {"doubled": number * 2}
    pairs = joined(rows_of(tmp_path, "inputs", 1000), rows_of(tmp_path, "predictions", 1000))
    assert sorted(int(row["number"]) for row, _ in pairs) == list(range(1000))
    assert all(int(prediction["doubled"]) == 2 * int(row["number"]) for row, prediction in pairs)
    assert len({row["$RequestId"] for row, _ in pairs}) == 1000
    assert all(row["$HostRequestId"] == f"host-{int(row['number']) % 10}" for pair in pairs for row in pair[:1])
