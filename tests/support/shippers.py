"""A shipper under control: real segments on a real disk, a store in memory, a clock that only sleeping moves.

A ``Spool`` writes segments as scoring processes do. A ``World`` runs the shipper on it effect by effect, and can
end it before any effect (a crash: nothing of the generator survives) or let any effect fail.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import random
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from modeltap.core.key import CollectionKey
from modeltap.core.schema import Schema
from modeltap.shipping import effects as fx
from modeltap.shipping.header import header_line
from modeltap.shipping.reference import encode_rows
from modeltap.shipping.shipper import ship
from modeltap.shipping.work import Config
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.filesystem import LocalFilesystem
from modeltap.spool.frame import Descriptor, encode_frame
from modeltap.spool.locks import is_locked
from modeltap.spool.segment import encode_header
from modeltap.testing import MemoryStore

DAY = 20_779
INSTANT_US = DAY * 86_400_000_000
INPUTS = CollectionKey("sub", "rg", "ws", "svc", "best_model", "3", "inputs")
PREDICTIONS = CollectionKey("sub", "rg", "ws", "svc", "best_model", "3", "predictions")
FLOATS = (("a", "float64"), ("b", "float64"))


class World:
    """Runs shippers of one spool, one after the other."""

    def __init__(self, spool: Spool, store: Any = None, **config: Any) -> None:
        self.spool = spool
        self.store = MemoryStore() if store is None else store
        self.config = Config(
            spool=spool.directory.path,
            spool_hash=spool.directory.hash,
            **{"encode": encode_rows, "header": header_line, "reserve_bytes": 0, **config},
        )
        self.clock = 1_000.0
        self.random = random.Random(f"{spool.root}")
        self.orders = fx.Orders(drain=True)
        self.before: Callable[[int, fx.Effect], None] = lambda _number, _effect: None
        self.after: Callable[[int, fx.Effect], None] = lambda _number, _effect: None
        self.trace: list[fx.Effect] = []
        self._core: Any = None
        self._effect: Any = None
        self.reports: list[fx.Progress] = []
        self.handles: set[int] = set()
        self.disk: Any = NoSync()
        self.slept = 0.0

    def run(self, *, until: int = -1, seconds: float = 600.0) -> bool:
        """Run a new shipper to its end, or up to an effect, or for some time; whether it ended by itself."""
        self.start()
        ends = self.clock + seconds
        while len(self.trace) != until and self.clock < ends:
            if not self.step():
                return True
        self.crash()
        return False

    def start(self) -> None:
        """Begin with a new shipper, which knows nothing but what stands on disk and in the store."""
        self.trace, self._core = [], ship(self.config)
        self._effect = next(self._core)

    def step(self) -> bool:
        """Perform one effect; False when the shipper has ended by itself."""
        effect = self._effect
        self.trace.append(effect)
        try:
            try:
                result = self._perform(len(self.trace) - 1, effect)
            except Exception as error:
                self._effect = self._core.throw(error)
            else:
                self._effect = self._core.send(result)
        except StopIteration:
            self.crash()
            return False
        except BaseException:
            self.crash()
            raise
        return True

    def crash(self) -> None:
        """Nothing of the shipper survives but what it has made others do."""
        self._core.close()
        for handle in self.handles:
            os.close(handle)
        self.handles.clear()

    def drain(self) -> World:
        """Ship everything."""
        assert self.run(), f"not drained: {self.reports[-1]}"
        return self

    @property
    def progress(self) -> fx.Progress:
        """The last report."""
        return self.reports[-1]

    def _perform(self, number: int, effect: fx.Effect) -> Any:
        self.before(number, effect)
        result = self._do(effect)
        self.after(number, effect)
        return result

    def _do(self, effect: fx.Effect) -> Any:
        disk, store = self.disk, self.store
        match effect:
            case fx.ListFolder(path):
                return disk.list(path)
            case fx.ReadFile(path, start, length):
                return disk.read(path, start, length)
            case fx.OpenFile(path, exclusive):
                handle = disk.open(path, exclusive=exclusive)
                self.handles.add(handle)
                return handle
            case fx.WriteFile(handle, data):
                return disk.write(handle, data)
            case fx.CloseFile(handle):
                self.handles.discard(handle)
                return disk.close(handle)
            case fx.RenameFile(old, new):
                return disk.rename(old, new)
            case fx.UnlinkFile(path):
                return disk.unlink(path)
            case fx.IsLocked(path):
                return is_locked(path)
            case fx.HeadBlob(path):
                return store.head(path)
            case fx.ReadBlob(path):
                return store.read(path)
            case fx.ListBlobs(prefix):
                return list(store.list(prefix))
            case fx.PutBlob(path, data, if_match):
                return store.put(path, data, if_match=if_match)
            case fx.CreateBlob(path, header, metadata):
                return store.create(path, header, metadata)
            case fx.AppendBlob(path, data, position, batch_id):
                return store.append(path, data, position=position, batch_id=batch_id)
            case fx.HoldsBatch(path, position, length, sha256, batch_id):
                return store.holds(path, position=position, length=length, sha256=sha256, batch_id=batch_id)
            case fx.Now():
                return self.clock
            case fx.Draw(count):
                return self.random.randbytes(count)
            case fx.Sleep(seconds):
                self.clock += seconds
                self.slept += seconds
            case fx.ReadOrders():
                return self.orders
            case fx.Report(progress):
                self.reports.append(progress)
                self.spool.tell(progress)
        return None

    def files(self, tree: str = "modeldata") -> dict[str, list[dict[str, str]]]:
        """Every data file with its rows; the path without the tree and the names that all share."""
        return data_files(self.store, tree)

    def shipped(self) -> Counter[tuple[str, str, str]]:
        """(request id, row, first cell) of every row in the store."""
        return shipped_rows(self.files())


class Spool:
    """A spool, and what was collected into it."""

    def __init__(self, root: Path, store: str = "memory://store") -> None:
        self.root = root
        self.directory = SpoolDirectory.open(str(root), store)
        self.accepted: Counter[tuple[str, str, str]] = Counter()
        self._numbers: Counter[str] = Counter()

    def writer(self, stem: str = "host-1-a-r") -> Writer:
        """A scoring process's new segment, locked by it."""
        number = self._numbers[stem]
        self._numbers[stem] += 1
        return Writer(self, f"{stem}.{number}.seg")

    def tell(self, progress: fx.Progress) -> None:
        """Publish where shipping stands, as the agent does."""
        document = {"spool": self.directory.hash, "settled": dict(progress.settled)}
        self.path("status.json").write_text(json.dumps(document))

    def path(self, *names: str) -> Path:
        """A file of the spool."""
        return Path(self.directory.path, *names)

    def copy(self, root: Path) -> Spool:
        """The same spool elsewhere, as of now."""
        shutil.copytree(self.root, root)
        copy = Spool(root)
        copy.accepted = Counter(self.accepted)
        return copy


class Writer:
    """One segment, open for appending and locked as long as its process lives."""

    def __init__(self, spool: Spool, name: str, magic: bytes = b"\x01magic!\x02") -> None:
        self.spool = spool
        self.name = name
        self.path = spool.path("segments", name)
        self.magic = magic
        self.handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        self.raw(encode_header(magic, {"spool": spool.directory.hash, "writer": name, "version": "0"}))
        self.count = 0

    def raw(self, data: bytes) -> None:
        """Append any bytes."""
        os.write(self.handle, data)

    def frame(
        self,
        rows: Sequence[Sequence[Any]],
        columns: Sequence[tuple[str, str]] = FLOATS,
        *,
        key: CollectionKey = INPUTS,
        day: int = DAY,
        layout: str = "",
        payload: bytes | None = None,
        count: bool = True,
    ) -> bytes:
        """The bytes of one frame; its rows are expected to arrive unless ``count`` is off."""
        layout = layout or ("float64" if all(kind == "float64" for _, kind in columns) else "cells")
        self.count += 1
        request = f"{self.name.removesuffix('.seg')}-{self.count}"
        if count:
            self.spool.accepted.update((request, str(number), _value(_text(row[0]))) for number, row in enumerate(rows))
        if payload is None and layout == "float64":
            payload = array("d", (cell for row in rows for cell in row)).tobytes()
        elif payload is None:
            payload = json.dumps([row[column] for column in range(len(columns)) for row in rows]).encode()
        return encode_frame(
            self.magic,
            Descriptor(key, Schema(tuple(columns)), layout),
            sequence=self.count,
            timestamp_us=day * 86_400_000_000 + self.count,
            day=day,
            rows=len(rows),
            payload=payload,
            first_row=0,
            request_id=request,
        )

    def collect(self, rows: Sequence[Sequence[Any]], columns: Sequence[tuple[str, str]] = FLOATS, **how: Any) -> Writer:
        """Accept rows."""
        self.raw(self.frame(rows, columns, **how))
        return self

    def collect_many(self, values: Iterable[float], **how: Any) -> Writer:
        """Accept rows one at a time."""
        for value in values:
            self.collect([[value, 0.0]], **how)
        return self

    def seal(self) -> Writer:
        """The process ends."""
        os.close(self.handle)
        return self


class NoSync(LocalFilesystem):
    """A disk that loses nothing: many runs in a second."""

    def sync(self, path: str) -> None:
        """Nothing to do."""


def data_files(store: Any, tree: str = "modeldata") -> dict[str, list[dict[str, str]]]:
    """Every data file of a store with its rows; the path without the tree and the names that all share."""
    found = {}
    for info in store.list(f"{tree}/"):
        text = store.read(info.path, 0, info.size).decode()
        name = info.path.removeprefix(f"{tree}/sub/rg/ws/svc/best_model/3/")
        found[name] = list(csv.DictReader(io.StringIO(text, newline="")))
    return found


def shipped_rows(files: dict[str, list[dict[str, str]]]) -> Counter[tuple[str, str, str]]:
    """(request id, row, first cell) of every row."""
    return Counter(
        (row["$RequestId"], row["$Row"], _value(list(row.values())[6])) for rows in files.values() for row in rows
    )


def _text(cell: Any) -> str:
    return "" if cell is None else repr(cell) if isinstance(cell, float) else str(cell)


def _value(text: str) -> str:
    """A whole number that went to a file of floats is still the same number."""
    return text.removesuffix(".0")


def is_disk(effect: fx.Effect) -> bool:
    """Whether an effect is one of the disk."""
    return isinstance(effect, fx.DiskEffect)


def is_store(effect: fx.Effect) -> bool:
    """Whether an effect is one of the store."""
    return isinstance(effect, fx.StoreEffect)


def no_space() -> OSError:
    """The disk is full."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
