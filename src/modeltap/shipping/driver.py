"""The driver: performs the shipper's effects on a real disk, store and clock.

Promises: one effect at a time, in order; an error of an effect is thrown into the core, never swallowed; the
driver decides nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from modeltap.shipping import effects as fx
from modeltap.spool.filesystem import Filesystem
from modeltap.spool.locks import is_locked
from modeltap.stores.base import Store


class Control(Protocol):
    """What the shipper's owner wants, and wants to know."""

    def orders(self) -> fx.Orders:
        """What the owner wants now."""

    def wait(self, seconds: float) -> None:
        """Return after that time, or earlier when there are new orders."""

    def report(self, progress: fx.Progress) -> None:
        """Take note of where shipping stands; must not raise."""


class Driver:
    """Runs a shipper to its end."""

    def __init__(self, filesystem: Filesystem, store: Store, control: Control, file_mode: int = 0o600) -> None:
        self._perform: dict[type[Any], Callable[[Any], Any]] = {
            fx.ListFolder: lambda e: filesystem.list(e.path),
            fx.ReadFile: lambda e: filesystem.read(e.path, e.start, e.length),
            fx.OpenFile: lambda e: filesystem.open(e.path, exclusive=e.exclusive, mode=file_mode),
            fx.WriteFile: lambda e: filesystem.write(e.handle, e.data),
            fx.SyncFile: lambda e: filesystem.sync(e.path),
            fx.CloseFile: lambda e: filesystem.close(e.handle),
            fx.RenameFile: lambda e: filesystem.rename(e.old, e.new),
            fx.UnlinkFile: lambda e: filesystem.unlink(e.path),
            fx.IsLocked: lambda e: is_locked(e.path),
            fx.HeadBlob: lambda e: store.head(e.path),
            fx.ReadBlob: lambda e: store.read(e.path),
            fx.ListBlobs: lambda e: list(store.list(e.prefix)),
            fx.PutBlob: lambda e: store.put(e.path, e.data, if_match=e.if_match),
            fx.CreateBlob: lambda e: store.create(e.path, e.header, e.metadata),
            fx.AppendBlob: lambda e: store.append(e.path, e.data, position=e.position, batch_id=e.batch_id),
            fx.HoldsBatch: lambda e: store.holds(
                e.path, position=e.position, length=e.length, sha256=e.sha256, batch_id=e.batch_id
            ),
            fx.Now: lambda _: time.monotonic(),
            fx.Draw: lambda e: os.urandom(e.count),
            fx.Sleep: lambda e: control.wait(e.seconds),
            fx.ReadOrders: lambda _: control.orders(),
            fx.Report: lambda e: control.report(e.progress),
        }

    def run(self, core: fx.Steps[None]) -> None:
        """Perform every effect until the core ends.

        Raises:
            FormatTooNew, OSError: as ``modeltap.shipping.shipper.ship`` says.
        """
        perform = self._perform
        try:
            effect = next(core)
            while True:
                try:
                    result = perform[type(effect)](effect)
                except Exception as error:  # noqa: BLE001  the core knows what follows from it
                    effect = core.throw(error)
                else:
                    effect = core.send(result)
        except StopIteration:
            return
