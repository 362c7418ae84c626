"""``modeltap head``: a look at rows."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING

from modeltap.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from modeltap.workspace.looking import Look

SUMMARY = "show the first or last rows of a collection, inputs and predictions joined with --join"

MAX_ROWS = 100_000
"""More belongs into a tool that reads the file: modeltap read-options."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("model", nargs="?", help="whose rows (needed when the store has several models)")
    parser.add_argument("designation", nargs="?", help="inputs, predictions, ... (default: the first that there is)")
    parser.add_argument("--service", help="when several services serve that model")
    parser.add_argument("--model-version", help="when the model has several versions (default: the newest rows)")
    parser.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="a UTC day (default: the last)")
    parser.add_argument("-n", "--rows", type=_count, default=10, metavar="N", help="how many (default 10)")
    parser.add_argument("--last", action="store_true", help="the day's last rows instead of its first")
    parser.add_argument(
        "--join",
        nargs="?",
        const="predictions",
        metavar="DESIGNATION",
        help="beside each row its partner of another designation (default: predictions)",
    )
    parser.add_argument("--json", action="store_true", help="a JSON list with every column")


def run(arguments: argparse.Namespace) -> int:
    """Show rows."""
    from modeltap.core.key import workspace_parts
    from modeltap.core.settings import resolve
    from modeltap.stores.urls import open_store
    from modeltap.workspace.looking import Wish, look

    wish = Wish(
        workspace=workspace_parts(arguments.workspace) if arguments.workspace else None,
        service=arguments.service,
        model=arguments.model,
        version=arguments.model_version,
        designation=arguments.designation,
        day=arguments.day,
        rows=arguments.rows,
        last=arguments.last,
        join=arguments.join,
    )
    found = look(open_store(resolve().store), wish)
    if arguments.json:
        print_json(found.rows)
    else:
        _print(found)
    return 0


def _print(found: Look) -> None:
    columns = list(dict.fromkeys(column for row in found.rows for column in row))
    # ids and rates are the same for many rows: people look at the features first
    ordered = [c for c in columns if c == "$Timestamp"] + [c for c in columns if not c.startswith("$")]
    ordered += [c for c in columns if c.startswith("$") and c != "$Timestamp"]
    print(f"{found.title}")
    print_table(ordered, [[row.get(column) for column in ordered] for row in found.rows])


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_ROWS:,}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day like 2026-11-22") from None
