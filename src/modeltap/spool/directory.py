"""The spool directory: one for each (store, user), shared by all scoring processes of a host.

Promises: private by mode (0700/0600, or 2770/0660 with a named group); another owner, another mode, a
symlink or another store's spool is refused; lock files are never removed.

Layout below ``<root>/<16 hex of (store without secrets, user)>/``::

    spool.json            {"format": 1, "store": ..., "uid": ..., "hash": ...}
    segments/             frames, one file for each process start and rotation (modeltap.spool.segment)
    writers/              <writer stem>.json: the counters of each scoring process, for people
    intents/              <batch id>.bytes: batches on their way (modeltap.shipping)
    quarantine/           damaged bytes and batches that the store refuses for ever
    ledger                what is shipped (modeltap.shipping.ledger)
    status.json           the agent's progress and counters, written by the agent, read by everybody
    flush                 its change asks the agent to ship at once
    agent.lock            held (flock) by the one running agent
    start.lock            held while an agent is started or ends
    agent.log             what the agent says
"""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Mapping
from typing import Any

from modeltap.core.urls import public_url, store_hash
from modeltap.errors import FormatTooNew, SpoolRefused
from modeltap.spool.filesystem import LocalFilesystem, open_private, replace_file

FORMAT = 1
_FOLDERS = ("segments", "writers", "intents", "quarantine")


class SpoolDirectory:
    """Paths and modes of one spool."""

    def __init__(self, path: str, hash_: str, *, shared: bool = False) -> None:
        self.path = path
        self.hash = hash_
        self.directory_mode = 0o2770 if shared else 0o700
        self.file_mode = 0o660 if shared else 0o600
        self.segments = os.path.join(path, "segments")
        self.writers = os.path.join(path, "writers")
        self.intents = os.path.join(path, "intents")
        self.quarantine = os.path.join(path, "quarantine")
        self.ledger = os.path.join(path, "ledger")
        self.status = os.path.join(path, "status.json")
        self.flush = os.path.join(path, "flush")
        self.agent_lock = os.path.join(path, "agent.lock")
        self.start_lock = os.path.join(path, "start.lock")
        self.agent_log = os.path.join(path, "agent.log")

    @classmethod
    def open(cls, root: str, store: str, *, group: str = "", uid: int | None = None) -> SpoolDirectory:
        """Open the spool of a store below a root, making it if missing.

        Args:
            root: the folder that ``MODELTAP_SPOOL`` names.
            store: the store's URL; secrets in it do not count.
            group: name of the group that may share the spool, or empty.
            uid: whose rows: the agent of a shared spool passes the scoring user's.

        Raises:
            SpoolRefused: wrong owner, mode or kind, or the spool of another store.
            FormatTooNew: made by a newer modeltap.
            OSError: the disk refuses.
        """
        hash_ = store_hash(store, os.getuid() if uid is None else uid)
        spool = cls(os.path.join(root, hash_), hash_, shared=bool(group))
        gid = _group_id(group) if group else -1
        _make_root(os.path.abspath(root), spool.directory_mode, gid)
        for folder in (spool.path, *(os.path.join(spool.path, name) for name in _FOLDERS)):
            _make_private(folder, spool.directory_mode, gid)
        spool._identify(store)
        return spool

    def _identify(self, store: str) -> None:
        path = os.path.join(self.path, "spool.json")
        document = read_document(path)
        if document is None:
            document = {"format": FORMAT, "store": public_url(store), "uid": os.getuid(), "hash": self.hash}
            replace_file(LocalFilesystem(), path, json.dumps(document).encode(), self.file_mode)
        version = document.get("format")
        if isinstance(version, int) and version > FORMAT:
            raise FormatTooNew(f"opening the spool {self.path}: its format is newer than {FORMAT}; upgrade modeltap")
        if document.get("hash") != self.hash:
            raise SpoolRefused(
                f"opening the spool {self.path}: it belongs to the store {document.get('store')}; "
                "give each store a spool of its own"
            )


def read_document(path: str) -> dict[str, Any] | None:
    """Read a small JSON file; None when it is missing, empty or damaged."""
    try:
        with open(path, "rb") as file:
            document = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def publish_document(path: str, document: Mapping[str, Any], mode: int = 0o600) -> None:
    """Put a small JSON file in place in one step. For people and progress: not synced to disk."""
    temporary = f"{path}.{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        handle = open_private(temporary, os.O_WRONLY | os.O_TRUNC, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, separators=(",", ":"))
        os.replace(temporary, path)
    except OSError:
        LocalFilesystem().unlink(temporary)  # a full disk must not keep the half of a document
        raise


def _make_root(root: str, mode: int, gid: int) -> None:
    """Make the folder above the spool; where everybody may make folders, another user's is refused."""
    parent = os.path.dirname(root)
    os.makedirs(parent, exist_ok=True)
    if not os.path.lexists(root):
        _make_folder(root, mode, gid)
    found = os.lstat(root)
    trusted = found.st_uid in {0, os.getuid()} or (gid >= 0 and found.st_gid == gid)
    if os.stat(parent).st_mode & stat.S_IWOTH and not trusted:
        raise SpoolRefused(
            f"opening the spool below {root}: user {found.st_uid} made it in a folder that is open to everybody, and "
            "could put another in its place; set MODELTAP_SPOOL to a folder of your own"
        )


def _make_private(folder: str, mode: int, gid: int) -> None:
    if not os.path.lexists(folder):
        _make_folder(folder, mode, gid)
    found = os.lstat(folder)
    owned = found.st_uid == os.getuid() or (gid >= 0 and found.st_gid == gid)
    if not stat.S_ISDIR(found.st_mode) or not owned or stat.S_IMODE(found.st_mode) != mode:
        raise SpoolRefused(
            f"opening the spool {folder}: it must be a directory of user {os.getuid()} with mode {mode:o}, "
            f"found {stat.filemode(found.st_mode)} of user {found.st_uid}; mend it or set MODELTAP_SPOOL to another folder"
        )


def _make_folder(folder: str, mode: int, gid: int) -> None:
    """Make a folder that nobody sees before it has its group and, whatever the umask, its mode."""
    temporary = f"{folder}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    os.mkdir(temporary, 0o700)
    try:
        if gid >= 0:
            os.chown(temporary, -1, gid)
        os.chmod(temporary, mode)
        os.rename(temporary, folder)
    except OSError:
        os.rmdir(temporary)
        if not os.path.lexists(folder):
            raise  # else another process was first


def _group_id(group: str) -> int:
    import grp

    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise SpoolRefused(
            f"opening the spool: MODELTAP_SPOOL_GROUP names the group {group!r}, which this host does not know"
        ) from None
