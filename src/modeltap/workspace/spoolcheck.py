"""The spool as the doctor sees it: whose it is, on which file system, and what happens to its rows at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from modeltap.core.settings import Settings
from modeltap.core.urls import store_hash
from modeltap.errors import ModeltapError
from modeltap.spool.directory import SpoolDirectory, read_document
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING, Finding
from modeltap.workspace.places import Place


def open_spool(settings: Settings) -> tuple[SpoolDirectory | None, list[Finding]]:
    """Open the spool if there is one: a doctor who makes it may lock its user out.

    Returns:
        The spool, or None with the finding that says why there is none.
    """
    hash_ = store_hash(settings.store, os.getuid())
    if not os.path.isdir(os.path.join(settings.spool, hash_)):
        return None, [_not_yet(settings)]
    try:
        directory = SpoolDirectory.open(settings.spool, settings.store, group=settings.spool_group)
    except (ModeltapError, OSError) as error:
        return None, [Finding(PROBLEM, "spool", f"{error}", "rows are rejected until this is mended")]
    return directory, [Finding(OK, "spool", f"{directory.path} belongs to this user and this store")]


def place_findings(settings: Settings, place: Place, *, container: bool, agent_runs: bool) -> Iterator[Finding]:
    """Whether the spool's disk keeps what promises need, and who ships the last rows.

    Args:
        settings: as resolved.
        place: the spool's file system.
        container: whether this process's files end with a container.
        agent_runs: whether an agent holds this spool now.
    """
    where = f"{settings.spool} is on {place.kind or 'an unknown file system'}"
    if place.is_network:
        yield Finding(
            WARNING, "spool", f"{where}: its locks and writes are a server's", "set MODELTAP_SPOOL to a local disk"
        )
    elif place.is_memory:
        yield Finding(WARNING, "spool", f"{where}: rows in it end with the machine", "set MODELTAP_SPOOL to a disk")
    elif container and place.is_container_layer:
        yield Finding(
            WARNING,
            "spool",
            f"{where}: rows in it end with this container",
            "mount a volume, name it in MODELTAP_SPOOL",
        )
    else:
        yield Finding(OK, "spool", where)
    yield from _room(settings)
    yield _last_rows(settings, place, container=container, agent_runs=agent_runs)


def neighbours(settings: Settings) -> Iterator[Finding]:
    """Spools of other users or for other stores below the same root: rows may have gone there."""
    own = store_hash(settings.store, os.getuid())
    try:
        names = sorted(os.listdir(settings.spool))
    except OSError:
        return
    for name in names:
        document = read_document(os.path.join(settings.spool, name, "spool.json")) if name != own else None
        if document is not None:
            yield Finding(
                NOTE,
                "spool",
                f"there is also a spool of user {document.get('uid')} for {document.get('store')}",
                "if the service is that one, run doctor as its user and with its MODELTAP_STORE",
            )


def _not_yet(settings: Settings) -> Finding:
    parent = settings.spool
    while not os.path.exists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK | os.X_OK):
        return Finding(
            PROBLEM,
            "spool",
            f"{settings.spool} cannot be made by user {os.getuid()}",
            "set MODELTAP_SPOOL to a folder of its own",
        )
    return Finding(
        NOTE,
        "spool",
        f"no process of user {os.getuid()} has collected for this store yet: {settings.spool} has no spool for it",
        "start the service with the same user, MODELTAP_STORE and MODELTAP_SPOOL as this doctor",
    )


def _room(settings: Settings) -> Iterator[Finding]:
    parent = settings.spool
    while not os.path.exists(parent):
        parent = os.path.dirname(parent)
    free = shutil.disk_usage(parent).free
    if free < settings.spool_max_bytes:
        yield Finding(
            WARNING,
            "spool",
            f"the disk has {free >> 20:,} MiB left, the spool may grow to {settings.spool_max_bytes >> 20:,} MiB",
            "free some space, or lower MODELTAP_SPOOL_MAX_BYTES",
        )


def _last_rows(settings: Settings, place: Place, *, container: bool, agent_runs: bool) -> Finding:
    """The three ways in which a service's last rows can get out of the spool."""
    ways = []
    if (settings.shipper == "process" and not container) or (settings.shipper == "none" and agent_runs):
        ways.append("an agent that outlives the service")
    if settings.exit_flush_seconds:
        ways.append(f"waiting up to {settings.exit_flush_seconds:g} s at exit")
    ends = place.is_memory or settings.durability == "memory" or (container and place.is_container_layer)
    if not ends:
        ways.append("the next run on this spool")
    if ways:
        return Finding(OK, "spool", f"a service's last rows are shipped by: {', or '.join(ways)}")
    return Finding(
        PROBLEM,
        "spool",
        "a service's last rows are lost: agent and spool end with this container, and nothing waits at exit",
        "set MODELTAP_EXIT_FLUSH_SECONDS=20, or mount a volume and name it in MODELTAP_SPOOL",
    )
