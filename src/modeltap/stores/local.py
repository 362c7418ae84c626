"""The embedded store: a folder on a local disk.

Promises are those of ``modeltap.stores.base``. What is special here:

- ``modeldata/.../data.csv`` is an ordinary file that any program reads. Its committed size and metadata
  stand beside the tree, in ``modeltap/positions/<path>.pos``, which is also the lock of its writers: any
  number of processes of this host may write to one file. (Other programs may see an uncommitted tail for
  as long as a batch is being written; modeltap's readers never do.)
- An append takes two syncs and about a dozen other calls; nothing is cached, so nothing is stale.
- The folder is made, with mode 0700, by the first write if it is missing. A folder that was made with
  other rights hands them on to all that is made in it (``modeltap.stores.tree``).
- The disk must be local: network file systems lock and sync in their own ways.
- Where there are no file locks (Windows) everything can be read and nothing written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from modeltap.core.urls import public_url
from modeltap.errors import Conflict
from modeltap.stores.base import Info
from modeltap.stores.datafile import DataFiles
from modeltap.stores.disk import Disk, LocalDisk, open_to_read, read_at
from modeltap.stores.documents import Documents
from modeltap.stores.locks import WAIT_SECONDS
from modeltap.stores.oserrors import as_store_errors
from modeltap.stores.paths import check_batch, check_bytes, check_prefix, check_range, is_path, is_reserved
from modeltap.stores.standing import look, look_by_name, read_record
from modeltap.stores.tree import Tree


class LocalStore:
    """A folder as a store. See ``modeltap.stores.base.Store`` for the verbs."""

    def __init__(self, root: str, *, disk: Disk | None = None, lock_wait_seconds: float = WAIT_SECONDS) -> None:
        """Name the folder; nothing is opened or made.

        Args:
            root: the folder.
            disk: how it is changed; a double in tests.
            lock_wait_seconds: how long a call waits for another process that is writing to the same file.
        """
        disk = disk or LocalDisk()
        root = os.path.abspath(root)
        self.url = public_url(root)
        self._tree = Tree(root, self.url, disk)
        self._files = DataFiles(self._tree, disk, lock_wait_seconds)
        self._documents = Documents(self._tree, disk, lock_wait_seconds)

    def head(self, path: str) -> Info | None:
        """See ``Store.head``."""
        with as_store_errors("looking at", self._thing(path)):
            standing = look_by_name(self._tree.place(path))
        return standing.info if standing else None

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """See ``Store.read``."""
        check_range(path, start, length)
        with as_store_errors("reading", self._thing(path)):
            place = self._tree.place(path)
            handle = open_to_read(place.data)
            if handle is None:
                raise _missing(place.thing)
            try:
                standing = look(place, lambda: os.fstat(handle), lambda: read_record(place))
                if standing is None:
                    raise _missing(place.thing)
                size = standing.info.size
                end = size if length < 0 else min(size, start + length)
                return read_at(handle, end - start, start)
            finally:
                os.close(handle)

    def list(self, prefix: str) -> Iterator[Info]:
        """See ``Store.list``."""
        folder = check_prefix(prefix)
        with as_store_errors("listing", self._thing(prefix)):
            self._tree.refuse_links(folder)
        return self._walk(folder, prefix)

    def put(self, path: str, data: bytes, *, if_match: str | None = None) -> Info:
        """See ``Store.put``."""
        check_bytes(path, data)
        with as_store_errors("putting", self._thing(path)):
            return self._documents.put(self._tree.place(path), data, if_match)

    def create(self, path: str, header: bytes, metadata: Mapping[str, str]) -> Info:
        """See ``Store.create``."""
        check_bytes(path, header)
        with as_store_errors("creating", self._thing(path)):
            return self._files.create(self._tree.place(path), header, metadata)

    def append(self, path: str, data: bytes, *, position: int, batch_id: str) -> Info:
        """See ``Store.append``."""
        check_batch(path, position, len(data))
        with as_store_errors("appending to", self._thing(path)):
            return self._files.append(self._tree.place(path), data, position, batch_id)

    def holds(self, path: str, *, position: int, length: int, sha256: str, batch_id: str) -> bool:
        """See ``Store.holds``."""
        check_batch(path, position, length)
        with as_store_errors("asking", self._thing(path)):
            return self._files.holds(self._tree.place(path), position, length, sha256, batch_id)

    def _thing(self, path: str) -> str:
        return f"{path} in {self.url}"

    def _walk(self, folder: str, prefix: str) -> Iterator[Info]:
        """The files below a folder, depth first in the order of the paths' text."""
        for entry in self._entries(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                below = path + "/"
                if below.startswith(prefix) or prefix.startswith(below):
                    yield from self._walk(path, prefix)
            elif path.startswith(prefix) and is_path(path):
                with as_store_errors("listing", self._thing(path)):
                    standing = look_by_name(self._tree.place_of_listed(path))
                if standing:
                    yield standing.info

    def _entries(self, folder: str) -> Sequence[os.DirEntry[str]]:
        if is_reserved(folder):
            return []
        with as_store_errors("listing", self._thing(folder)):
            try:
                with os.scandir(os.path.join(self._tree.root, *folder.split("/"))) as entries:
                    # A folder sorts as its paths do: with the separator behind its name.
                    return sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir(follow_symlinks=False))
            except (FileNotFoundError, NotADirectoryError):
                return []


def _missing(thing: str) -> Conflict:
    return Conflict(f"reading {thing}: nothing stands there; list the store and look again")
