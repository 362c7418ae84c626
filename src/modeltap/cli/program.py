"""``modeltap VERB``: finds the verb, runs it, turns its outcome into an exit code.

Promises: 0 ok, 1 a problem was found, 2 wrong usage or a setting that cannot be used; an error of
modeltap is one sentence on stderr, never a traceback; text from data reaches the terminal only
through ``modeltap.cli.terminal``. argparse, so that the plain install has every verb.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, cast

from modeltap.cli.terminal import printable
from modeltap.errors import MissingExtra, ModeltapError, SettingsError
from modeltap.version import __version__

OK, PROBLEM, USAGE = 0, 1, 2
INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""

VERBS = ("demo", "serve", "run", "agent", "flush", "ls", "head", "doctor", "read_options")
"""One module of this package for each, in the order of the help."""


class Verb(Protocol):
    """What a module of a verb has."""

    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's own arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; gives the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: the arguments after the program's name; None takes the process's own.

    Returns:
        The exit code.

    Raises:
        SystemExit: argparse ends the program for ``--help``, ``--version`` and wrong usage.
    """
    _never_fail_to_encode()
    arguments = _parser().parse_args(argv)
    try:
        with _common(arguments):
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader (`| head`) has what it wanted; the interpreter must not fail on it at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ModeltapError, OSError) as error:
        said, verb = printable(str(error)), f"modeltap {arguments.verb}"
        print(said if said.startswith(verb) else f"{verb}: {said}", file=sys.stderr)
        return USAGE if isinstance(error, SettingsError | MissingExtra) else PROBLEM
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modeltap",
        description="Collects what goes into and comes out of deployed models, into storage that you own.",
        epilog="Begin with: modeltap demo. Where the data is, and why it may be empty: modeltap doctor.",
    )
    parser.add_argument("--version", action="version", version=f"modeltap {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        verb = cast("Verb", import_module(f"modeltap.cli.{name}"))
        spelled = name.replace("_", "-")
        child = verbs.add_parser(spelled, help=verb.SUMMARY, description=verb.SUMMARY, allow_abbrev=False)
        child.add_argument("--store", metavar="URL", help="the store: a folder or a URL (MODELTAP_STORE)")
        child.add_argument(
            "--workspace", metavar="SUB/RG/WS", help="subscription/resource group/workspace (MODELTAP_WORKSPACE)"
        )
        verb.configure(child)
        child.set_defaults(run=verb.run)
    return parser


@contextmanager
def _common(arguments: argparse.Namespace) -> Iterator[None]:
    """What is said on the command line stands for this process and the children that it starts."""
    said = {"MODELTAP_STORE": arguments.store, "MODELTAP_WORKSPACE": arguments.workspace}
    before = dict(os.environ)
    os.environ.update({name: value for name, value in said.items() if value})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _never_fail_to_encode() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
