"""Python children of the tests: a script in, what it printed out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


class Output(NamedTuple):
    code: int
    out: str
    err: str


def python(
    script: str, *arguments: str, paths: Sequence[Path] = (), seconds: float = SECONDS, **variables: str
) -> Output:
    """Run a script in a fresh Python that finds modeltap, and further folders behind it."""
    return command([sys.executable, "-c", script, *arguments], paths=paths, seconds=seconds, **variables)


def command(
    argv: Sequence[str | Path],
    *,
    paths: Sequence[Path] = (),
    cwd: Path | None = None,
    seconds: float = SECONDS,
    **variables: str,
) -> Output:
    """Run a command whose Pythons find modeltap, and further folders behind it."""
    search = os.pathsep.join(map(str, [ROOT / "src", *paths, *filter(None, [os.environ.get("PYTHONPATH")])]))
    environment = {**os.environ, "PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    ended = subprocess.run(
        [*map(str, argv)], env=environment, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )
    return Output(ended.returncode, ended.stdout, ended.stderr)
