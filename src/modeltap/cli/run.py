"""``modeltap run -- CMD``: a command in whose Pythons the original's import names are modeltap's."""

from __future__ import annotations

import argparse

SUMMARY = "run a command with the import aliases on: azureml.monitoring and azureml.ai.monitoring are modeltap in it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.usage = "modeltap run [--store URL] [--workspace SUB/RG/WS] -- COMMAND [ARGUMENT ...]"
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")


def run(arguments: argparse.Namespace) -> int:
    """Become that command."""
    from modeltap.compat.run import run as run_command

    command = arguments.command
    return run_command(command[1:] if command[:1] == ["--"] else command)
