"""``modeltap read-options TOOL``: how a tool reads data files with every type kept."""

from __future__ import annotations

import argparse

from modeltap.cli.terminal import print_json, printable
from modeltap.query.read_options import TOOLS, read_options, snippet

SUMMARY = "print how pandas, polars, DuckDB, Spark ... read data.csv so that every value keeps its type"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("tool", choices=TOOLS, help=", ".join(TOOLS), metavar="TOOL")
    parser.add_argument("model", nargs="?", help="with the types of this model's newest file")
    parser.add_argument("designation", nargs="?", help="inputs, predictions, ... (default: the first that there is)")
    parser.add_argument("--service", help="when several services serve that model")
    parser.add_argument("--json", action="store_true", help="the options as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the options."""
    schema, path = None, "data.csv"
    if arguments.model:
        from modeltap.core.key import workspace_parts
        from modeltap.core.settings import resolve
        from modeltap.stores.urls import open_store
        from modeltap.workspace.looking import Wish, newest_file

        workspace = workspace_parts(arguments.workspace) if arguments.workspace else None
        wish = Wish(workspace, arguments.service, arguments.model, designation=arguments.designation)
        schema, path = newest_file(open_store(resolve().store), wish)
    if arguments.json:
        print_json(read_options(arguments.tool, schema))
        return 0
    for line in snippet(arguments.tool, schema, path).splitlines():
        print(printable(line))
    return 0
