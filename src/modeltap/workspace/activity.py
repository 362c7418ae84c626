"""Who collects and who ships: the counters of scoring processes, the agent's progress, and what is still to ship.

Read from the spool of this host, and from ``modeltap/writers/`` in the store for all hosts and users.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from modeltap.core.instants import instant_text
from modeltap.core.settings import Settings
from modeltap.errors import ModeltapError
from modeltap.services.writers import read_writers
from modeltap.spool.counters import total
from modeltap.spool.directory import SpoolDirectory, read_document
from modeltap.spool.filesystem import LocalFilesystem
from modeltap.spool.locks import is_locked
from modeltap.spool.progress import positions, segments_of
from modeltap.spool.segment import writer_stem
from modeltap.stores.base import Store
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING, Finding

STUCK_SECONDS = 300.0
"""A backlog that old while nothing is shipped: health is red."""
HEADER_BYTES = 512
"""A segment without a frame is smaller."""

REMEDIES = {
    "spool_full": "start or mend the agent; the spool's bound is MODELTAP_SPOOL_MAX_BYTES",
    "no_spool": "the spool cannot be opened: see the findings about it",
    "spool_unwritable": "the spool's disk refuses writes: see the agent's and the service's log",
    "disk_stalled": "the spool's disk is too slow: move MODELTAP_SPOOL to a local disk",
    "bad_name": "a model, service or designation has a name that no path can hold: the service's log has it",
    "row_too_large": "one row takes more than 1 MiB: collect less of it",
    "too_many_schemas": "more than 32 column lists in one day: give the collector steady feature names",
    "ragged": "rows of one call have different lengths",
    "spark_in_request": "collect Spark frames outside a request",
}


class Tally(NamedTuple):
    """What the scoring processes of a spool counted, and how far the agent is.

    Attributes:
        writers: scoring processes that have counted.
        running: of them, those that still run.
        accepted: rows that ``collect()`` took.
        shipped: rows that are in the store.
        quarantined: rows that were set aside.
        counters: all counters added up.
    """

    writers: int
    running: int
    accepted: int
    shipped: int
    quarantined: int
    counters: Mapping[str, Any]


def tally(directory: SpoolDirectory) -> Tally:
    """Add up what the documents of a spool say."""
    documents = list(_documents(directory.writers))
    status = read_document(directory.status) or {}
    running = running_writers(directory)
    counters = total({f"{n}/{label}": found for n, label, found in _collections(documents)})
    return Tally(
        writers=len(documents),
        running=len(running),
        accepted=counters["accepted"],
        shipped=sum(status.get("shipped", {}).values()),
        quarantined=sum(status.get("quarantined", {}).values()),
        counters=counters,
    )


def running_writers(directory: SpoolDirectory) -> set[str]:
    """The stems of the scoring processes that hold a segment of the spool open."""
    names = segments_of(directory)
    return {writer_stem(name) for name in names if is_locked(os.path.join(directory.segments, name))}


def writer_findings(directory: SpoolDirectory) -> Iterator[Finding]:
    """What the scoring processes of this spool did, and which rows they refused and why."""
    found = tally(directory)
    if not found.writers:
        yield Finding(NOTE, "writers", "no scoring process has counted a row on this spool yet", "call collect()")
        return
    yield Finding(
        OK,
        "writers",
        f"scoring processes on this spool: {found.writers} ({found.running} running), they had {found.accepted:,} rows accepted",
    )
    for kind in ("rejected", "dropped"):
        for reason, rows in sorted(found.counters[kind].items()):
            remedy = REMEDIES.get(reason, "the service's log says more, once a minute")
            yield Finding(WARNING, "rows", f"{rows:,} rows were {kind}: {reason}", remedy)
    for name, meaning in (
        ("off", "were not collected: collecting was off"),
        ("unpaired_rows", "pair with no row of the inputs: their $Row is empty"),
        ("width_mismatch", "had another number of columns than feature_names"),
    ):
        if found.counters[name]:
            yield Finding(NOTE, "rows", f"{found.counters[name]:,} rows {meaning}")
    if found.quarantined:
        yield Finding(WARNING, "rows", f"{found.quarantined:,} rows were set aside", f"look at {directory.quarantine}")


def agent_findings(directory: SpoolDirectory, settings: Settings, now: float | None = None) -> Iterator[Finding]:
    """Whether somebody ships, what hindered it last, and what waits."""
    status = read_document(directory.status) or {}
    runs = is_locked(directory.agent_lock)
    waiting, age = backlog(directory, time.time() if now is None else now)
    yield _agent(runs, status, settings, waiting)
    if status.get("last_error"):
        yield Finding(WARNING, "agent", f"its last error: {status['last_error']}", f"see {directory.agent_log}")
    if waiting:
        level = PROBLEM if age > STUCK_SECONDS else NOTE
        yield Finding(level, "agent", f"{waiting:,} bytes wait to be shipped, the oldest for {_duration(age)}")
    elif status:
        yield Finding(OK, "agent", "nothing waits to be shipped")


def heartbeat_findings(store: Store) -> Iterator[Finding]:
    """The agents that have announced themselves in the store, of any host and user."""
    try:
        writers = list(read_writers(store))
    except ModeltapError as error:
        yield Finding(WARNING, "writers", f"{error}")
        return
    for writer in writers:
        name = "/".join((*writer.workspace, writer.service))
        seen = instant_text(writer.heartbeat_us)[:19]
        yield Finding(OK, "writers", f"{name} was last announced at {seen} UTC by {writer.agent} on {writer.host}")
        if writer.last_error:
            yield Finding(
                WARNING, "writers", f"{name} on {writer.host}: {writer.last_error}", "run doctor on that host"
            )


def backlog(directory: SpoolDirectory, now: float) -> tuple[int, float]:
    """Bytes of segments behind the agent's positions, and the age in seconds of the oldest segment that has some."""
    shipped = positions(directory)
    waiting, oldest = 0, now
    for name, size in segments_of(directory).items():
        rest = size - shipped.get(name, 0)
        if rest > 0 and size > HEADER_BYTES:
            waiting += rest
            oldest = min(oldest, _modified(os.path.join(directory.segments, name), now))
    return waiting, now - oldest


def _agent(runs: bool, status: Mapping[str, Any], settings: Settings, waiting: int) -> Finding:
    if runs:
        agent = status.get("agent", {})
        return Finding(OK, "agent", f"an agent runs (process {agent.get('pid')}, modeltap {agent.get('version')})")
    if settings.shipper == "process":
        level = WARNING if waiting else NOTE
        return Finding(level, "agent", "no agent runs; the next collector or `modeltap flush` starts one")
    if settings.shipper == "thread":
        return Finding(NOTE, "agent", "MODELTAP_SHIPPER=thread: each scoring process ships by itself while it runs")
    return Finding(
        PROBLEM,
        "agent",
        "MODELTAP_SHIPPER=none and no agent runs: nothing is shipped",
        f"start one: modeltap agent --spool {settings.spool} --store URL",
    )


def _documents(folder: str) -> Iterator[dict[str, Any]]:
    for name in sorted(LocalFilesystem().list(folder)):
        document = read_document(os.path.join(folder, name)) if name.endswith(".json") else None
        if document is not None:
            yield document


def _collections(documents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    for number, document in enumerate(documents):
        for service, collections in document.get("services", {}).items():
            for label, found in collections.items():
                yield number, f"{service}/{label}", found


def _modified(path: str, now: float) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return now  # shipped and removed meanwhile


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
