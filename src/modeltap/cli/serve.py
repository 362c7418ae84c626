"""``modeltap serve``: hosts a scoring file."""

from __future__ import annotations

import argparse

from modeltap.serving.server import DEFAULT_HOST, DEFAULT_PORT, serve

SUMMARY = "serve a scoring file (init() and run()) over HTTP, collecting what its collectors are given"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("script", metavar="score.py", help="the scoring file")
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"address to listen on (default {DEFAULT_HOST})")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"port, 0 for a free one (default {DEFAULT_PORT})"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--service", default="", help="the service's name in the data's path (MODELTAP_SERVICE)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    return serve(
        arguments.script,
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        service=arguments.service,
    )
