"""``modeltap agent``: ships a spool in the foreground, for a sidecar or a systemd unit."""

from __future__ import annotations

import argparse

SUMMARY = "ship a spool to its store until told to end (a service starts one by itself unless MODELTAP_SHIPPER=none)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--spool", metavar="DIR", default="", help="the spool (MODELTAP_SPOOL)")
    parser.add_argument("--listen", metavar="ADDR", default="", help="serve metrics there, e.g. 127.0.0.1:9464")
    parser.add_argument("--uid", metavar="N", help="whose rows, when another user's spool is shared by group")
    parser.add_argument("--once", action="store_true", help="ship what is there, then end")


def run(arguments: argparse.Namespace) -> int:
    """Ship."""
    from modeltap.agent.__main__ import main

    argv = ["--spool", arguments.spool, "--store", arguments.store or "", "--listen", arguments.listen]
    argv += ["--uid", arguments.uid] if arguments.uid else []
    return main([*argv, "--once"] if arguments.once else argv)
