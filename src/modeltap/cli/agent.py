"""``modeltap agent``: ships a spool in the foreground, for a sidecar or a systemd unit."""

from __future__ import annotations

import argparse

SUMMARY = "ship a spool to its store until told to end (a service starts one by itself unless MODELTAP_SHIPPER=none)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--spool", metavar="DIR", help="the spool (MODELTAP_SPOOL)")


def run(arguments: argparse.Namespace) -> int:
    """Ship."""
    from modeltap.agent.__main__ import main
    from modeltap.core.settings import resolve

    settings = resolve()
    return main(["--spool", arguments.spool or settings.spool, "--store", settings.store])
