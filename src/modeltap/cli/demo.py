"""``modeltap demo``: the whole road on this machine, in under a minute, with real rows."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modeltap.cli.terminal import print_table, printable
from modeltap.errors import ModeltapError

if TYPE_CHECKING:
    from modeltap.cli.tour.folder import DemoFolder
    from modeltap.cli.tour.service import ScoringService

SUMMARY = "train a model on real rows, serve it, send requests, and see inputs and predictions arrive in data.csv"
WORKERS = 2
REQUESTS = 3000
FLUSH_SECONDS = 30.0
SHOWN = ("inputs.mean radius", "inputs.mean texture", "predictions.malignant", "predictions.benign")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's own arguments."""
    parser.add_argument("--folder", type=Path, default=Path("modeltap-demo"), help="default: ./modeltap-demo")
    parser.add_argument("--requests", type=int, default=REQUESTS, metavar="N", help=f"how many (default {REQUESTS:,})")
    parser.add_argument("--keep-running", action="store_true", help="leave the service up until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 1 when a row is missing."""
    from modeltap.cli.tour.folder import DemoFolder
    from modeltap.cli.tour.service import ScoringService

    started, since = time.monotonic(), datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    folder = DemoFolder(arguments.folder, arguments.store or "")
    folder.make()
    print(f"In {folder.path}:")
    print(f"  train.py     {folder.train()}")
    with ScoringService(folder, workers=WORKERS) as service:
        print(f"  score.py     a scoring file written for Azure ML, served by {WORKERS} workers on port {service.port}")
        _replay(folder, service, arguments.requests)
        complete = _show(folder, since)
        print(f"\nDone in {time.monotonic() - started:.0f} s.")
        _look_next(folder)
        if arguments.keep_running:
            _keep_running(service)
    return 0 if complete else 1


def _replay(folder: DemoFolder, service: ScoringService, requests: int) -> None:
    from modeltap.cli.tour.traffic import replay

    rows = folder.held_out().rows
    done = replay((service.host, service.port), rows, requests, _progress(requests))
    a_second = (done.answered + done.failed) / done.seconds
    print(f"  requests     {done.answered:,} answered, {done.failed:,} failed on purpose, {a_second:,.0f} a second")


def _show(folder: DemoFolder, since: str) -> bool:
    from modeltap.agent.flush import flush
    from modeltap.cli.tour.count import settled_count
    from modeltap.cli.tour.folder import SERVICE
    from modeltap.cli.tour.price import microseconds_per_collect
    from modeltap.spool.directory import SpoolDirectory
    from modeltap.stores.urls import open_store

    spool, store = SpoolDirectory.open(folder.spool, folder.store), open_store(folder.store)
    if not flush(folder.spool, folder.store, FLUSH_SECONDS):
        raise ModeltapError(f"flushing {folder.spool}: rows are left after {FLUSH_SECONDS:g} s; see {spool.agent_log}")
    found = settled_count(spool, store, SERVICE, since)
    _tree(folder)
    if found.agree:
        _joined(folder)
    held_out = folder.held_out()
    price = microseconds_per_collect(held_out.columns, held_out.rows[0])
    verdict = "all of them, once" if found.agree else f"NOT THE SAME, {found.lost:,} lost: see modeltap doctor"
    print("\nCounted")
    print(f"  accepted by collect()   {found.accepted:>8,} rows")
    print(f"  shipped by the agent    {found.shipped:>8,} rows")
    print(f"  standing in the files   {found.in_files:>8,} rows   {verdict}")
    print(f"  one collect() costs     {price:>8.1f} microseconds (median, one row of {len(held_out.columns)} numbers)")
    return found.agree


def _tree(folder: DemoFolder) -> None:
    from modeltap.cli.tour.folder import SERVICE

    root = Path(folder.store) / "modeldata"
    if not root.is_dir():
        return
    print("\nWhat stands in the store")
    for file in sorted(root.glob(f"*/*/*/{SERVICE}/**/*.csv")):
        lines = file.read_bytes().count(b"\r\n") - 1
        print(f"  {printable(str(file.relative_to(root.parent)))}   {lines:,} rows, {file.stat().st_size:,} bytes")


def _joined(folder: DemoFolder) -> None:
    from modeltap.cli.tour.folder import SERVICE
    from modeltap.stores.urls import open_store
    from modeltap.workspace.looking import Wish, look

    wish = Wish(service=SERVICE, designation="inputs", rows=500, join="predictions")
    rows = look(open_store(folder.store), wish).rows
    failed = [row for row in rows if "predictions.benign" not in row]
    print("\nInputs beside their predictions, joined by ($RequestId, $Row)")
    shown = sorted([*rows[:4], *failed[:1]], key=lambda row: row["$Timestamp"])
    cells = [[row["$Timestamp"][11:23], row["$Row"], *(row.get(column, "")[:7] for column in SHOWN)] for row in shown]
    print_table(["UTC", "row", *SHOWN], cells)
    if failed:
        print("The row without a prediction is a failed request: a measure is missing, so the model refused it.")


def _look_next(folder: DemoFolder) -> None:
    store = folder.store if folder.store != str(folder.path / "store") else _relative(folder.path / "store")
    program = _program()
    print("\nLook next")
    for command, meaning in (
        (f"{program} ls --store {store}", "what there is"),
        (f"{program} head tumour --join --last --store {store}", "the last rows"),
        (f"{program} doctor --store {store} --spool {_relative(Path(folder.spool))}", "every check on the way"),
        (f"{program} read-options pandas tumour --store {store}", "how to read the files with their types"),
        (f"{_relative(folder.score)}", "the scoring file: yours may look the same"),
    ):
        print(f"  {meaning + ':':<42} {command}")


def _program() -> str:
    """How this modeltap is called from here: by its name if the shell finds that one, else by its path."""
    here = Path(sys.executable).parent / "modeltap"
    if shutil.which("modeltap") == str(here):
        return "modeltap"
    return _relative(here) if here.exists() else f"{sys.executable} -m modeltap"


def _keep_running(service: ScoringService) -> None:
    print(f"\nThe service is up: POST http://{service.host}:{service.port}/score   (Ctrl-C ends it)", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\nended")


def _progress(total: int) -> Callable[[int], None]:
    shown = sys.stderr.isatty()

    def tell(done: int) -> None:
        if shown:
            print(f"\r  requests     {done:,} of {total:,} ", end="\r", file=sys.stderr, flush=True)

    return tell


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
