"""``modeltap doctor``: why is it empty?"""

from __future__ import annotations

import argparse
import os

from modeltap.cli.terminal import print_json, print_table, printable

SUMMARY = "why is it empty? settings, store, spool, agent, writers, and a row of its own sent and read back"
_MARKS = {"ok": "ok", "note": "--", "warning": "!!", "problem": "XX"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--spool", metavar="DIR", help="the spool (MODELTAP_SPOOL)")
    parser.add_argument("--no-self-test", action="store_true", help="only look, send no row")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Examine; 1 when rows do not arrive."""
    from modeltap.workspace.doctor import Report, examine

    said = {"MODELTAP_SPOOL": arguments.spool} if arguments.spool else {}
    report: Report = examine({**os.environ, **said}, self_test=not arguments.no_self_test)
    if arguments.json:
        print_json(
            {
                "healthy": report.healthy,
                "settings": [shown._asdict() for shown in report.settings],
                "findings": [finding._asdict() for finding in report.findings],
                "next_step": report.next_step,
            }
        )
        return 0 if report.healthy else 1
    print_table(("setting", "value", "from"), report.settings)
    print()
    for finding in report.findings:
        print(f"{_MARKS[finding.level]}  {finding.topic:<9}  {printable(finding.sentence)}")
        if finding.remedy:
            print(f"{'':15}-> {printable(finding.remedy)}")
    print(f"\nNext: {printable(report.next_step)}")
    return 0 if report.healthy else 1
