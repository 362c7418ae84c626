"""Several hosts ship to the same files at once, with faults and crashes in any order: every row stands once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from modeltap.errors import Conflict, StoreDenied, StoreUnavailable
from modeltap.shipping import effects as fx
from modeltap.testing import MemoryStore
from support.shippers import DAY, INPUTS, PREDICTIONS, Spool, World, is_disk, is_store, no_space

COLUMNS = [
    (("a", "float64"), ("b", "float64")),
    (("a", "int64"), ("b", "null")),
    (("b", "float64"), ("a", "float64")),
    (("a", "string"),),
]


class Schedule:
    """One run: hosts that collect and ship, faults and crashes, all from one seed."""

    def __init__(self, seed: int, root, hosts: int = 2) -> None:
        self.chance = random.Random(seed)
        self.store = MemoryStore()
        self.worlds = []
        self.writers = {}
        self.faults = True
        self.late = []
        self.places = []
        for number in range(hosts):
            world = World(
                Spool(root / str(number)),
                self.store,
                batch_rows=4,
                flush_seconds=0.2,
                memory_bytes=6_000,
                chunk_bytes=2 << 20 if number % 2 else 3_000,
                ledger_bytes=2_000,
                reserve_bytes=0,
            )
            world.orders = fx.Orders()
            world.before = self._before
            world.after = self._after
            world.start()
            self.worlds.append(world)

    def _before(self, number, effect):
        if self.faults and isinstance(effect, fx.AppendBlob) and self.chance.random() < 0.05:
            self.late.append((effect.path, bytes(effect.data), effect.position, effect.batch_id))
            raise StoreUnavailable("on its way")
        if self.faults and self.chance.random() < 0.02:
            if is_store(effect):
                raise self.chance.choice([StoreUnavailable, StoreDenied, RuntimeError])("before")
            if is_disk(effect) and number > 40:
                raise no_space()

    def _after(self, number, effect):
        if self.faults and is_store(effect) and self.chance.random() < 0.02:
            raise StoreUnavailable("after")

    def run(self, steps: int) -> None:
        for number in range(steps):
            if number % 50 == 0:
                self.assert_what_is_settled_is_in_the_store()
            world = self.chance.choice(self.worlds)
            if self.chance.random() < 0.06:
                self._collect(world)
            if self.chance.random() < 0.004:
                world.crash()
                world.start()
            if self.late and self.chance.random() < 0.01:
                self._arrive(self.late.pop(self.chance.randrange(len(self.late))))
            try:
                world.step()
            except OSError:
                world.start()
        self.faults = False
        while self.late:
            self._arrive(self.late.pop())
        for world in self.worlds:
            world.crash()
            world.orders = fx.Orders(drain=True)
            world.drain()

    def _arrive(self, batch):
        """What was sent long ago reaches the store now."""
        path, data, position, batch_id = batch
        try:
            self.store.append(path, data, position=position, batch_id=batch_id)
        except Conflict:
            return

    def _collect(self, world):
        writer = self.writers.get(world)
        if writer is None or self.chance.random() < 0.1:
            if writer is not None:
                if self.chance.random() < 0.5:
                    writer.raw(writer.frame([[1.0, 1.0]], count=False)[:-3])
                writer.seal()
            writer = self.writers[world] = world.spool.writer(f"host-{self.worlds.index(world)}-a-r")
        columns, start = self.chance.choice(COLUMNS), writer.path.stat().st_size
        cells = {"float64": 1.5, "int64": 2, "null": None, "string": "x"}
        rows = [[cells[kind] for _, kind in columns]] * self.chance.choice([1, 1, 1, 3])
        key = self.chance.choice([INPUTS, PREDICTIONS])
        writer.collect(rows, columns, key=key, day=DAY + (self.chance.random() < 0.3), count=False)
        request = f"{writer.name.removesuffix('.seg')}-{writer.count}"
        world.spool.accepted.update((request, str(number)) for number in range(len(rows)))
        self.places.append((world, writer.name, start, f",{request},".encode()))

    def assert_what_is_settled_is_in_the_store(self):
        """The status of a spool is trusted by the next shipper, so it may never say too much."""
        stored = b"".join(self.store.read(info.path) for info in self.store.list("modeldata/"))
        for world, segment, start, request in self.places:
            settled = world.reports[-1].settled.get(segment, 0) if world.reports else 0
            assert start >= settled or request in stored, (segment, start, settled)


@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_every_row_of_every_host_stands_once_whatever_happens(hosts, quick_path, nightly):
    for seed in range(3_000 if nightly else 12):
        schedule = Schedule(seed, quick_path / str(seed), hosts)
        schedule.run(1_500)
        shipped = Counter((request, row) for request, row, _ in schedule.worlds[0].shipped().elements())
        accepted = sum((world.spool.accepted for world in schedule.worlds), Counter())
        assert shipped == accepted, f"seed {seed}"
        headers = [schedule.store.read(info.path).count(b"$Timestamp") for info in schedule.store.list("modeldata/")]
        assert set(headers) <= {1}, f"seed {seed}"
