"""The store as the doctor sees it: can it be opened, written and read, does it outlive this container, what is in it."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator

from modeltap.core.key import DATA_TREE, TRIAL_TREE
from modeltap.core.names import encode_part
from modeltap.core.settings import Settings
from modeltap.core.urls import LOCAL, local_path, public_url, store_kind
from modeltap.errors import MissingExtra, ModeltapError, SettingsError, StoreDenied
from modeltap.stores.base import Store
from modeltap.stores.urls import open_store
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING, Finding
from modeltap.workspace.places import Place


def open_findings(settings: Settings) -> tuple[Store | None, list[Finding]]:
    """Open the store; None with the finding that says why not, or why it is left alone."""
    try:
        store = open_store(settings.store)
    except (SettingsError, MissingExtra) as error:
        remedy = "set MODELTAP_STORE" if isinstance(error, SettingsError) else "install the extra"
        return None, [Finding(PROBLEM, "store", str(error), remedy)]
    if store_kind(settings.store) == LOCAL:
        owner = _owner_of_missing(local_path(settings.store))
        if owner not in (None, os.getuid()):
            sentence = f"{store.url} does not exist yet, and user {owner}, whose folder it would be in, is not this one"
            return None, [Finding(NOTE, "store", sentence, "run doctor as the service's user, or start the service")]
    return store, []


def store_findings(store: Store, settings: Settings, place: Place, *, container: bool) -> Iterator[Finding]:
    """Whether rows can get into the store, and stay.

    Args:
        store: the opened store.
        settings: as resolved.
        place: the file system of a local store; not used for another kind.
        container: whether this process's files end with a container.
    """
    if store_kind(settings.store) == LOCAL:
        yield from _place(place, local_path(settings.store), container=container)
    try:
        _write_and_read(store)
    except StoreDenied as error:
        yield Finding(PROBLEM, "store", f"{error}", "give this user the right to write there")
        return
    except ModeltapError as error:
        yield Finding(PROBLEM, "store", f"{error}", "mend the store, rows wait in the spool meanwhile")
        return
    yield Finding(OK, "store", f"{store.url} can be written and read")
    if next(iter(store.list(DATA_TREE + "/")), None) is None:
        yield Finding(NOTE, "store", "no row has ever arrived in this store")
    else:
        yield Finding(OK, "store", "rows have arrived before: modeltap ls shows them")


def _owner_of_missing(path: str) -> int | None:
    """Who owns the folder in which a missing store would be made: made by another user, it would lock its own out."""
    if os.path.exists(path):
        return None
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_uid


def _place(place: Place, path: str, *, container: bool) -> Iterator[Finding]:
    shown = public_url(path)
    if container and place.is_container_layer:
        yield Finding(
            WARNING, "store", f"{shown} is on {place.kind} and ends with this container", "mount a volume for it"
        )
    elif place.is_memory:
        yield Finding(WARNING, "store", f"{shown} is in memory ({place.kind})", "choose a folder on a disk")
    elif place.is_network:
        yield Finding(
            WARNING,
            "store",
            f"{shown} is on a network file system ({place.kind}), whose locks and syncs are its own",
            "choose a local disk",
        )


def _write_and_read(store: Store) -> None:
    host = socket.gethostname() or "host"
    path = f"{TRIAL_TREE}/{encode_part(host)}.json"
    written = json.dumps({"format": 1, "host": host, "at": time.time()}).encode()
    store.put(path, written)
    if store.read(path) != written:
        raise ModeltapError(f"reading {path} back from {store.url}: it is not what was written a moment ago")
