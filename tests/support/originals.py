"""Real files that the original's releases wrote."""

from __future__ import annotations

import csv
from pathlib import Path

TREE = Path(__file__).resolve().parents[1] / "fixtures" / "aml_v1" / "modeldata"


def read(path: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of one file below ``modeldata``."""
    with (TREE / path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows
