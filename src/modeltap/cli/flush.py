"""``modeltap flush``: wait until the spool is shipped, for a preStop hook."""

from __future__ import annotations

import argparse

SUMMARY = "ship what waits in this host's spool; 0 when nothing is left, 1 when rows are"
DEFAULT_SECONDS = 20.0
"""Fits the 30 s that container runtimes give between SIGTERM and SIGKILL."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument(
        "--timeout", type=float, default=DEFAULT_SECONDS, metavar="S", help=f"seconds (default {DEFAULT_SECONDS:g})"
    )
    parser.add_argument("--spool", metavar="DIR", help="the spool (MODELTAP_SPOOL)")


def run(arguments: argparse.Namespace) -> int:
    """Flush."""
    from modeltap.agent.flush import flush
    from modeltap.core.settings import resolve

    settings = resolve()
    done = flush(arguments.spool or settings.spool, settings.store, arguments.timeout)
    print(
        "nothing is left to ship" if done else f"rows are left after {arguments.timeout:g} s: modeltap doctor says why"
    )
    return 0 if done else 1
