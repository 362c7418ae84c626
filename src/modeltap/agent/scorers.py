"""The scoring processes of a spool, as their documents in ``writers/`` tell.

Promises: a damaged document is passed over; a document stays while its process lives, while a segment of it is
there, and for a day after; at most 500 of ended processes are kept, so restarts never fill the disk.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from modeltap.core.key import workspace_parts
from modeltap.errors import SettingsError
from modeltap.spool.directory import SpoolDirectory, read_document
from modeltap.spool.filesystem import LocalFilesystem
from modeltap.spool.progress import segments_of
from modeltap.spool.segment import writer_stem

SUFFIX = ".json"
KEPT_SECONDS = 86_400.0
KEPT_ENDED = 500


class Scorer(NamedTuple):
    """One scoring process.

    Attributes:
        stem: its name in the spool.
        document: as it published it.
        living: whether it still runs, as far as this host can tell.
    """

    stem: str
    document: Mapping[str, Any]
    living: bool


class Service(NamedTuple):
    """One service, over all its scoring processes on this spool.

    Attributes:
        workspace: subscription, resource group, workspace.
        name: of the service.
        collections: counters by ``<model>/<version>/<designation>``, added up.
        settings: of the process that started last.
        stems: its processes.
    """

    workspace: tuple[str, str, str]
    name: str
    collections: Mapping[str, dict[str, Any]]
    settings: Mapping[str, Any]
    stems: tuple[str, ...]


def read_scorers(spool: SpoolDirectory) -> list[Scorer]:
    """Read what the scoring processes tell, in the order in which they started."""
    found = []
    for name in LocalFilesystem().list(spool.writers):
        document = read_document(os.path.join(spool.writers, name)) if name.endswith(SUFFIX) else None
        if document is not None:
            found.append(Scorer(name.removesuffix(SUFFIX), document, _is_alive(document)))
    return sorted(found, key=lambda scorer: (_number(scorer.document.get("started")), scorer.stem))


def services_of(scorers: list[Scorer]) -> list[Service]:
    """Add up what they tell, service by service."""
    services: dict[str, Service] = {}
    for scorer in scorers:
        for label, collections in _mapping(scorer.document.get("services")).items():
            known = services.get(label) or _service(label)
            if known is None:
                continue
            merged = dict(known.collections)
            for collection, counters in _mapping(collections).items():
                merged[collection] = _sum(merged.get(collection, {}), _mapping(counters))
            settings = _mapping(scorer.document.get("settings"))
            services[label] = known._replace(collections=merged, settings=settings, stems=(*known.stems, scorer.stem))
    return list(services.values())


def forget_ended(spool: SpoolDirectory, scorers: list[Scorer], now: float | None = None) -> None:
    """Remove the documents of processes that ended long ago, or of the oldest when there are many."""
    stems = {writer_stem(name) for name in segments_of(spool)}
    ended = [scorer.stem for scorer in scorers if not scorer.living and scorer.stem not in stems]
    surplus = set(ended[: max(0, len(ended) - KEPT_ENDED)])
    for stem in ended:
        path = os.path.join(spool.writers, stem + SUFFIX)
        if stem in surplus or _age(path, time.time() if now is None else now) > KEPT_SECONDS:
            LocalFilesystem().unlink(path)


def _is_alive(document: Mapping[str, Any]) -> bool:
    pid = document.get("pid")
    if document.get("host") != os.uname().nodename or not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's process
    return True


def _service(label: str) -> Service | None:
    parts = label.split("/", 3)
    if len(parts) != 4:
        return None
    try:
        return Service(workspace_parts("/".join(parts[:3])), parts[3], {}, {}, ())
    except SettingsError:
        return None


def _sum(known: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(known)
    for name, value in more.items():
        if isinstance(value, Mapping):
            result[name] = _sum(_mapping(result.get(name)), value)
        else:
            result[name] = _number(result.get(name)) + _number(value)
    return result


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _age(path: str, now: float) -> float:
    try:
        return now - os.stat(path).st_mtime
    except OSError:
        return 0.0


def reasons(counters: Mapping[str, Any], kind: str) -> Iterator[tuple[str, float]]:
    """Reason and rows of one kind of counter: ``rejected`` or ``dropped``."""
    for reason, rows in _mapping(counters.get(kind)).items():
        yield reason, _number(rows)
