"""Scoring processes that are killed at random instants, and the receipts that they wrote.

As a script: ``python killed.py RECEIPTS KILLS SEED``: forks one scoring process after the other and kills each at
a random instant of its life, until so many were killed; then prints how far they had come. KILLS may also be
``many`` or ``none``: it goes on, with kills or without, until the file ``RECEIPTS/stop`` is there.

A scoring process makes a collector, collects, forks a child that collects too, and exits. After ``collect`` has
returned it writes a receipt into a file of its own: a line ``<call> <rows that were accepted>``.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

CALLS = 200
FORK_AT = 60
FIRST_SECONDS, MORE_SECONDS = 0.005, 0.001
COLUMNS = ["name", "call", "place", "text"]
SIZES = (10, 10, 10, 10, 300, 300, 300, 2_000, 20_000)
_SUBREAPER = 36

Key = tuple[str, int, int]
"""Name of the process, number of the call, place of the row in the call."""


class Outcome(NamedTuple):
    """What became of the rows, as counts of rows."""

    receipts: int
    lost: int
    doubled: int
    torn: int
    unasked: int


def text_of(name: str, call: int) -> str:
    """Follows from the rest of the row, so a row that was mended from two is noticed."""
    size = SIZES[call % len(SIZES)]
    return (f"<{name} {call}, " * size)[:size] + '"\r\n>'


def rows_of(name: str, call: int) -> list[list[object]]:
    """The rows of one call."""
    return [[name, call, place, text_of(name, call)] for place in range(1 + call % 3)]


def outcome(receipts: Path, rows: list[dict[str, str]]) -> Outcome:
    """Compare receipts with the rows in the store; a call without a receipt may have been the last one."""
    found: Counter[Key] = Counter()
    torn = 0
    for row in rows:
        key = (row["name"], int(row["call"]), int(row["place"]))
        torn += row["text"] != text_of(*key[:2])
        found[key] += 1
    promised: set[Key] = set()
    last: dict[str, int] = {}
    for path in receipts.iterdir():
        for line in path.read_text().splitlines():
            call, count = map(int, line.split())
            promised.update((path.name, call, place) for place in range(count))
            last[path.name] = call
    unasked = sum(key not in promised and key[1] <= last.get(key[0], -1) for key in found)
    return Outcome(len(promised), len(promised - set(found)), sum(n > 1 for n in found.values()), torn, unasked)


def score(name: str, receipts: Path, pause: float) -> None:
    """Be a scoring process."""
    import modeltap

    receipt = _receipt(receipts, name)
    collector = modeltap.ModelDataCollector("model", "inputs", feature_names=COLUMNS)
    for call in range(CALLS):
        rows = rows_of(name, call)
        accepted = 0 if collector.collect(rows) is None else len(rows)
        os.write(receipt, b"%d %d\n" % (call, accepted))
        if call == FORK_AT and not name.endswith("child"):
            modeltap.stats()
            if os.fork() == 0:
                name = f"{name}-child"
                receipt = _receipt(receipts, name)
        if pause:
            time.sleep(pause)


def _receipt(receipts: Path, name: str) -> int:
    return os.open(receipts / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)


def main(receipts: Path, kills: str, seed: int) -> None:
    """Fork and kill."""
    from modeltap import ModelDataCollector  # noqa: F401  loaded once, before the forks

    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)  # children of the killed are waited for here
    chance, killed, phases = random.Random(seed), 0, Counter()
    number = 0
    while killed < int(kills) if kills.isdigit() else not (receipts / "stop").exists():
        number += 1
        name = f"{seed}-{number}"
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.setpgid(0, 0)
            os.close(writing)  # from here on it may be killed at any instant
            score(name, receipts, 0 if kills.isdigit() else 0.002)
            return
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        if kills != "none":
            _live(receipts / name, chance)
            kill = os.kill if chance.random() < 0.3 else os.killpg  # its child lives on, or is killed with it
            kill(child, signal.SIGKILL)
        if os.WIFSIGNALED(_wait(child)):
            killed += 1
            phases[_phase(receipts / name)] += 1
    print(*(phases[phase] for phase in ("first", "midst", "end")))


def _wait(group: int) -> int:
    """Wait for a process and its children; gives its own status."""
    own = -1
    while True:
        try:
            process, status = os.waitpid(-group, 0)
        except ChildProcessError:
            return own
        if process == group:
            own = status


def _live(receipt: Path, chance: random.Random) -> None:
    """Let a process come to some point of its life, and some microseconds further."""
    calls = chance.choice([0, 0, FORK_AT, CALLS, chance.randrange(CALLS)])
    if not calls:
        time.sleep(FIRST_SECONDS * chance.random())
    while _calls(receipt) < calls:
        time.sleep(0.0001)
    time.sleep(MORE_SECONDS * chance.random())


def _calls(receipt: Path) -> int:
    return receipt.read_bytes().count(b"\n") if receipt.exists() else 0


def _phase(receipt: Path) -> str:
    calls = _calls(receipt)
    return "first" if not calls else "midst" if calls < CALLS else "end"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
