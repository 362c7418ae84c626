"""A host of its own for a test: store, spool and environment, the agents that run on it, and its rows read strictly."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modeltap.agent.flush import flush
from modeltap.stores.urls import open_store
from support.pythons import ROOT

DRAIN_SECONDS = 120.0
END_SECONDS = 60.0
LEADING = "$Timestamp,$CorrelationId,$RequestId,$HostRequestId,$Row,$SamplePercent,"
_FOREIGN = ("MODELTAP_", "AML_", "AZUREML_", "OTEL_")


class Host:
    """Where services of a test collect; ``close`` leaves no process behind."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.spool = folder / "spool"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self.environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MODELTAP_STORE": str(self.store),
            "MODELTAP_SPOOL": str(self.spool),
            **variables,
        }

    def start(self, argv: Sequence[object], stdin: int = subprocess.DEVNULL, **variables: str) -> subprocess.Popen[str]:
        """Start a Python program of this host; its output is kept."""
        return subprocess.Popen(
            [sys.executable, *map(str, argv)],
            env={**self.environment, **variables},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, argv: Sequence[object], seconds: float = 120.0, code: int = 0, **variables: str) -> str:
        """Run a Python program of this host to its end; gives what it printed."""
        program = self.start(argv, **variables)
        try:
            out, err = program.communicate(timeout=seconds)
        finally:
            program.kill()
            program.communicate()
        assert program.returncode == code, f"{program.returncode} instead of {code}:\n{out}\n{err}"
        return out

    def drain(self) -> None:
        """Ship everything that is in the spool, by its agent or here."""
        assert flush(str(self.spool), str(self.store), DRAIN_SECONDS), f"rows are left: {self.status()}"

    @property
    def places(self) -> list[Path]:
        """The spools below the root, one for each store and user."""
        return sorted(self.spool.iterdir()) if self.spool.exists() else []

    def status(self) -> dict[str, Any]:
        """What the agent has published last."""
        (place,) = self.places
        document = place / "status.json"
        return json.loads(document.read_text()) if document.exists() else {}

    def counters(self) -> Counter[str]:
        """The counters of all scoring processes, as they were published: accepted, rejected:<reason> ..."""
        found: Counter[str] = Counter()
        for path in self.spool.glob("*/writers/*.json"):
            for counts in json.loads(path.read_text())["counters"].values():
                for name, value in counts.items():
                    if isinstance(value, dict):
                        found.update({f"{name}:{reason}": rows for reason, rows in value.items()})
                    else:
                        found[name] += value
        return found

    def rows(self, designation: str = "*", tree: str = "modeldata") -> list[dict[str, str]]:
        """Every row of every data file; whatever is not a whole row under one header is an error of the test.

        For a store that nobody is writing to: the raw bytes are read, as any program would read them.
        """
        pattern = f"{tree}/*/*/*/*/*/*/{designation}/*/*/*/data*.csv"
        return [row for path in sorted(self.store.glob(pattern)) for row in read_strictly(path)]

    def arrived(self) -> int:
        """How many rows are committed, while others are on their way."""
        store = open_store(str(self.store))
        found = [store.read(info.path) for info in store.list("modeldata/") if info.size]
        return sum(len(list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))) - 1 for data in found)

    def agents(self) -> list[int]:
        """The agents that ship this host's spool."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                words = (process / "cmdline").read_bytes().split(b"\0") if process.name.isdigit() else []
            except OSError:
                continue  # it has ended meanwhile
            if b"modeltap.agent" in words and str(self.spool).encode() in words:
                found.append(int(process.name))
        return found

    def wait_until_agents_end(self) -> None:
        """Agents end by themselves when there is nothing to do and nobody left."""
        until(lambda: not self.agents(), END_SECONDS, lambda: f"agents {self.agents()} are still there")

    def close(self) -> None:
        """End the agents of this host."""
        for agent in self.agents():
            try:
                os.kill(agent, signal.SIGKILL)
            except ProcessLookupError:
                continue


def read_strictly(path: Path) -> list[dict[str, str]]:
    """The rows of a data file: one header, first; every row ends and has all columns; nothing else."""
    data = path.read_bytes()
    assert data.endswith(b"\r\n"), f"{path} ends with a torn row: {data[-200:]!r}"
    lines = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    header = next(lines)
    assert ",".join(header).startswith(LEADING), f"{path} begins with {header}"
    rows = []
    for number, line in enumerate(lines, start=2):
        assert line != header, f"{path} has its header again in line {number}"
        assert len(line) == len(header), (
            f"{path} has {len(line)} cells instead of {len(header)} in line {number}: {line}"
        )
        rows.append(dict(zip(header, line, strict=True)))
    return rows


def until(condition: Callable[[], object], seconds: float, problem: Callable[[], str]) -> None:
    """Poll a condition until it holds; fails with a text that says what was there instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, problem()
        time.sleep(0.02)
