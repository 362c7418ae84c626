"""``MemoryStore``: a store in this process's memory, with the contract of every other store."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256 as sha256_of
from itertools import count
from threading import Lock

from modeltap.errors import Conflict
from modeltap.stores.base import Info
from modeltap.stores.commits import (
    HEADER_IDENTITY,
    REMEMBERED,
    Commit,
    Step,
    batch_identity,
    conflict_text,
    decide,
)
from modeltap.stores.paths import check_batch, check_bytes, check_path, check_prefix, check_range


@dataclass
class _File:
    """One file: a data file has commits, a document has none."""

    data: bytearray
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    commits: deque[Commit] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class MemoryStore:
    """A store that ends with its process. See ``modeltap.stores.base.Store`` for the verbs.

    For tests of what uses a store: it keeps every promise of the contract, for the threads of one
    process, and remembers what it was given. "Durable" means: until the object is gone.
    """

    def __init__(self, name: str = "memory") -> None:
        """Make an empty store.

        Args:
            name: distinguishes its URL from those of other stores.
        """
        self.url = f"memory://{name}"
        self._files: dict[str, _File] = {}
        self._lock = Lock()
        self._changes = count(1)

    def head(self, path: str) -> Info | None:
        """See ``Store.head``."""
        check_path(path)
        with self._lock:
            file = self._files.get(path)
            return _info(path, file) if file else None

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """See ``Store.read``."""
        check_range(path, start, length)
        check_path(path)
        with self._lock:
            file = self._files.get(path)
            if file is None:
                raise Conflict(f"reading {self._thing(path)}: nothing stands there; list the store and look again")
            return bytes(file.data[start:] if length < 0 else file.data[start : start + length])

    def list(self, prefix: str) -> Iterator[Info]:
        """See ``Store.list``."""
        check_prefix(prefix)
        with self._lock:
            found = [_info(path, file) for path, file in sorted(self._files.items()) if path.startswith(prefix)]
        return iter(found)

    def put(self, path: str, data: bytes, *, if_match: str | None = None) -> Info:
        """See ``Store.put``."""
        check_bytes(path, data)
        check_path(path)
        with self._lock:
            there = self._files.get(path)
            if there and there.commits:
                raise Conflict(f"putting {self._thing(path)}: a data file stands there; documents go elsewhere")
            if if_match is not None and if_match != (there.etag if there else ""):
                raise Conflict(f"putting {self._thing(path)}: not what was demanded; read it and decide again")
            return self._keep(path, _File(bytearray(data), self._next_etag()))

    def create(self, path: str, header: bytes, metadata: Mapping[str, str]) -> Info:
        """See ``Store.create``."""
        check_bytes(path, header)
        check_path(path)
        with self._lock:
            if path in self._files:
                raise Conflict(f"creating {self._thing(path)}: something stands there; read its head")
            file = _File(bytearray(header), self._next_etag(), dict(metadata))
            file.commits.append(Commit(1, 0, len(header), HEADER_IDENTITY))
            return self._keep(path, file)

    def append(self, path: str, data: bytes, *, position: int, batch_id: str) -> Info:
        """See ``Store.append``."""
        check_batch(path, position, len(data))
        check_path(path)
        identity = batch_identity(batch_id)
        with self._lock:
            file = self._files.get(path)
            if file is None or not file.commits:
                raise Conflict(f"appending to {self._thing(path)}: it is not there, or not made by modeltap")
            step, start = decide(file.commits, len(file.data), position, len(data), identity)
            if step is Step.WRITE:
                file.data += data
                file.etag = self._next_etag()
                file.commits.append(Commit(file.commits[-1].generation + 1, position, len(file.data), identity))
            elif step is Step.CONFLICT or file.data[start : start + len(data)] != data:
                raise Conflict(conflict_text(self._thing(path), len(file.data), position, len(data)))
            return _info(path, file)

    def holds(self, path: str, *, position: int, length: int, sha256: str, batch_id: str) -> bool:
        """See ``Store.holds``."""
        check_batch(path, position, length)
        check_path(path)
        with self._lock:
            file = self._files.get(path)
            if file is None:
                return False
            step, start = decide(file.commits, len(file.data), position, length, batch_identity(batch_id))
            return step is Step.COMPARE and sha256_of(file.data[start : start + length]).hexdigest() == sha256

    def _keep(self, path: str, file: _File) -> Info:
        self._files[path] = file
        return _info(path, file)

    def _next_etag(self) -> str:
        return f"{next(self._changes):x}"

    def _thing(self, path: str) -> str:
        return f"{path} in {self.url}"


def _info(path: str, file: _File) -> Info:
    return Info(path, len(file.data), file.etag, dict(file.metadata))
