"""``modeltap read-options TOOL``: how a tool reads data.csv with every type kept."""

from __future__ import annotations

import argparse

SUMMARY = "print how pandas, polars, DuckDB, Spark or the csv module reads data.csv so that values keep their types"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("tool", help="the tool's name")


def run(arguments: argparse.Namespace) -> int:
    """Print the options."""
    from modeltap.query import read_options

    print(read_options)
    return 0
