"""What people see: tables, sizes, and no character that would act on the terminal.

Promise: ``printable`` lets no control, format or bidirectional character through, so an escape
sequence in a cell, a column name or an error is shown, not obeyed.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

MAX_CELL_WIDTH = 40
_GAP = "  "


def printable(text: str) -> str:
    r"""The text with everything that is not plainly visible written as an escape, ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def print_json(value: Any) -> None:
    """One JSON document for programs."""
    print(json.dumps(value, indent=1, default=str))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table for people, as wide as the terminal at most; columns that do not fit are counted, not wrapped.

    Args:
        headers: one name per column.
        rows: cells of any kind; None is shown as nothing.
        right: headers of the columns that are numbers.
    """
    texts = [[_shorten(printable("" if cell is None else str(cell))) for cell in row] for row in rows]
    names = [_shorten(printable(header)) for header in headers]
    widths = [max(_width(line[column]) for line in (names, *texts)) for column in range(len(names))]
    shown = _columns_that_fit(widths)
    alignments = [header in right for header in headers]
    for line in (names, ["-" * width for width in widths], *texts):
        cells = [_pad(line[column], widths[column], to_right=alignments[column]) for column in range(shown)]
        print(_GAP.join(cells).rstrip())
    if shown < len(names):
        print(f"... {len(names) - shown} more columns: --json shows all")


def size_text(size_bytes: float) -> str:
    """``512 B``, ``1.5 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def _columns_that_fit(widths: Sequence[int]) -> int:
    if not sys.stdout.isatty():
        return len(widths)
    available = shutil.get_terminal_size().columns
    used = 0
    for column, width in enumerate(widths):
        used += width + (len(_GAP) if column else 0)
        if used > available:
            return max(1, column)
    return len(widths)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_CELL_WIDTH else text[: MAX_CELL_WIDTH - 3] + "..."


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, *, to_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if to_right else text + space
