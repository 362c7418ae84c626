"""The command line: every verb is a library call with arguments in front and a table behind."""

from modeltap.cli.program import main

__all__ = ["main"]
