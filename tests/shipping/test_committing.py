"""What happens to a batch when the store says X, each answer as a scene."""

from __future__ import annotations

import pytest

from modeltap.core.key import day_of
from modeltap.errors import Conflict, StoreDenied, StoreRefused, StoreUnavailable
from modeltap.shipping import effects as fx
from modeltap.shipping.batch import decode_file
from support.shippers import DAY, INPUTS, PREDICTIONS, Spool, World

DATA = INPUTS.data_file(day_of(DAY))


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


class Faults:
    """Errors that a world's store raises for chosen calls."""

    def __init__(self, world):
        self.world = world
        self.chosen = []
        world.before = self._before
        world.after = self._after

    def on(self, kind, error, *, times=1, late=False, path=""):
        self.chosen.append([kind, error, times, late, path])
        return self

    def _before(self, number, effect):
        self._raise(effect, late=False)

    def _after(self, number, effect):
        self._raise(effect, late=True)

    def _raise(self, effect, *, late):
        for fault in self.chosen:
            kind, error, times, is_late, path = fault
            if isinstance(effect, kind) and times and is_late is late and path in getattr(effect, "path", ""):
                fault[2] -= 1
                raise error


def sent(world):
    return [(effect.batch_id, effect.position, bytes(effect.data)) for effect in calls(world, fx.AppendBlob)]


def calls(world, kind):
    return [effect for effect in world.trace if isinstance(effect, kind)]


def quarantined(spool):
    return sorted(path.name for path in spool.path("quarantine").iterdir())


def test_after_an_unknown_answer_the_store_is_asked_and_a_batch_that_is_in_is_not_sent_again(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreUnavailable("cut"), late=True)
    assert world.drain().shipped() == spool.accepted
    assert len(sent(world)) == len(calls(world, fx.HoldsBatch)) == 1


def test_after_an_unknown_answer_a_batch_that_is_not_in_is_sent_again_as_it_was(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreUnavailable("cut"), times=3)
    assert world.drain().shipped() == spool.accepted
    assert len(sent(world)) == 4
    assert len(set(sent(world))) == 1
    assert len(calls(world, fx.HoldsBatch)) == 3


def test_an_error_that_nobody_knows_is_an_unknown_answer(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, ZeroDivisionError(), late=True).on(fx.HoldsBatch, KeyError("?"), times=2)
    assert world.drain().shipped() == spool.accepted


def test_pauses_grow_and_are_jittered(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreUnavailable("down"), times=8)
    world.drain()
    assert 2 < world.slept < 130


def test_the_stores_own_wish_for_a_pause_is_obeyed(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    error = StoreUnavailable("throttled")
    error.retry_after_seconds = 90.0
    Faults(world).on(fx.AppendBlob, error)
    world.drain()
    assert world.slept >= 90


def test_without_rights_a_file_is_held_and_reported_while_the_others_go_on(spool):
    spool.writer().collect([[1.0, 2.0]], key=INPUTS).collect([[3.0, 4.0]], key=PREDICTIONS)
    world = World(spool)
    world.orders = fx.Orders()
    faults = Faults(world).on(fx.AppendBlob, StoreDenied("the key was revoked"), times=10_000, path="inputs")
    world.run(seconds=300)
    assert list(world.files()["predictions/2026/11/22/data.csv"][0].values())[6:] == ["3.0", "4.0"]
    assert world.progress.last_error == "the key was revoked"
    assert not quarantined(spool)
    faults.chosen.clear()
    world.orders = fx.Orders(drain=True)
    assert world.drain().shipped() == spool.accepted


def test_a_file_that_grew_meanwhile_gets_the_same_batch_at_its_new_end(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)

    def somebody_else(number, effect):
        if isinstance(effect, fx.AppendBlob) and len(calls(world, fx.AppendBlob)) == 1:
            world.store.append(effect.path, b"x,,,,,,1,2\r\n", position=effect.position, batch_id="theirs")

    world.before = somebody_else
    world.drain()
    (first, second) = sent(world)
    assert (first[0], first[2]) == (second[0], second[2])
    assert second[1] > first[1]
    assert [row["$RequestId"] for row in world.files()["inputs/2026/11/22/data.csv"]] == ["", "host-1-a-r.0-1"]
    assert world.shipped().total() == 2


def test_a_conflict_with_ones_own_batch_is_a_success(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, Conflict("it is there"), late=True)
    assert world.drain().shipped() == spool.accepted
    assert len(sent(world)) == 1


def test_a_batch_that_the_store_refuses_for_ever_is_set_aside_whole_and_blocks_nothing(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreRefused("never"))
    world.drain()
    (name,) = quarantined(spool)
    batch, data = decode_file(spool.path("quarantine", name).read_bytes())
    assert name == f"{batch.id}.refused.bytes"
    assert (batch.path, batch.rows, data.count(b"\r\n")) == (DATA, {"host-1-a-r": 1}, 1)
    assert world.progress.quarantined == {"host-1-a-r": 1}
    assert world.progress.segments[writer.name] == writer.path.stat().st_size
    writer.collect([[3.0, 4.0]])
    world.drain()
    assert world.shipped().total() == 1
    assert world.progress.quarantined == {"host-1-a-r": 1}


def test_a_refusal_of_a_batch_that_is_in_is_a_success(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreRefused("too large"), late=True)
    assert world.drain().shipped() == spool.accepted
    assert not quarantined(spool)


@pytest.mark.parametrize("kind", [fx.ListBlobs, fx.HeadBlob, fx.PutBlob, fx.CreateBlob])
def test_rows_for_a_file_that_the_store_will_never_have_are_set_aside(spool, kind):
    spool.writer().collect([[1.0, 2.0]]).collect([[3.0, 4.0]])
    world = World(spool)
    Faults(world).on(
        kind, StoreRefused("no such path is possible"), times=9, path="" if kind is fx.ListBlobs else "inp"
    )
    world.drain()
    (name,) = quarantined(spool)
    _, data = decode_file(spool.path("quarantine", name).read_bytes())
    assert data.count(b"\r\n") == 2
    assert world.progress.quarantined == {"host-1-a-r": 2}


def test_when_the_quarantine_is_full_what_should_go_there_waits(spool):
    spool.writer().collect([[1.0, 2.0]], key=INPUTS).collect([[3.0, 4.0]], key=PREDICTIONS)
    world = World(spool, quarantine_bytes=10)
    world.orders = fx.Orders()
    Faults(world).on(fx.AppendBlob, StoreRefused("never"), path="inputs", times=1_000)
    world.run(seconds=200)
    assert not quarantined(spool)
    assert "quarantine" in world.progress.last_error
    assert world.shipped().total() == 1
    assert World(spool, world.store).drain().shipped() == spool.accepted


def test_a_file_that_vanished_is_made_again_when_the_batch_is_certainly_not_in(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool, flush_seconds=0.1)
    world.orders = fx.Orders()
    world.run(seconds=5)

    def remove(number, effect):
        if isinstance(effect, fx.AppendBlob) and effect.path in world.store._files:
            world.before = lambda _number, _effect: None
            del world.store._files[effect.path]

    world.before = remove
    writer.collect([[3.0, 4.0]])
    world.orders = fx.Orders(drain=True)
    world.drain()
    assert [row["a"] for row in world.files()["inputs/2026/11/22/data.csv"]] == ["3.0"]
    assert not quarantined(spool)


def test_rows_that_waited_for_a_file_that_vanished_go_to_the_new_one(spool):
    for stem in ("host-1-a-r", "host-2-a-r"):
        spool.writer(stem).collect_many(map(float, range(3)))
    world = World(spool, batch_rows=2)

    def remove(number, effect):
        if isinstance(effect, fx.AppendBlob) and len(calls(world, fx.AppendBlob)) == 1:
            del world.store._files[effect.path]

    world.before = remove
    assert world.drain().shipped() == spool.accepted


def test_a_file_that_vanished_while_the_outcome_was_unknown_leaves_the_batch_undetermined(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool)

    def lose(number, effect):
        if isinstance(effect, fx.AppendBlob):
            world.after = lambda _number, _effect: None
            del world.store._files[effect.path]
            raise StoreUnavailable("nobody knows")

    world.after = lose
    world.drain()
    (name,) = quarantined(spool)
    assert name.endswith(".undetermined.bytes")
    assert world.progress.quarantined == {"host-1-a-r": 1}
    writer.collect([[3.0, 4.0]])
    world.drain()
    assert [row["a"] for row in world.files()["inputs/2026/11/22/data.csv"]] == ["3.0"]


def test_a_file_that_somebody_made_again_with_other_columns_is_another_file(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)

    def replace(number, effect):
        if isinstance(effect, fx.AppendBlob) and len(calls(world, fx.AppendBlob)) == 1:
            del world.store._files[effect.path]
            world.store.create(effect.path, b"a,b,c" * 100, {"schema": "0" * 16})

    world.before = replace
    world.drain()
    assert world.store.read(DATA) == b"a,b,c" * 100
    assert world.store.read(INPUTS.data_file(day_of(DAY), 1)).count(b"\r\n") == 2


def test_bytes_that_are_damaged_while_they_wait_are_made_again_from_the_segment(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    Faults(world).on(fx.AppendBlob, StoreUnavailable("down"), times=10_000)
    world.orders = fx.Orders()
    world.run(seconds=10)
    (path,) = spool.path("intents").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    world = World(spool, world.store)
    assert world.drain().shipped() == spool.accepted
    assert not list(spool.path("intents").iterdir())


def test_a_file_that_is_held_stops_no_other_however_much_waits_for_it(spool):
    for number in range(4):
        writer = spool.writer(f"host-{number}-a-r").collect_many(map(float, range(100)), key=INPUTS)
        writer.collect_many([1.0], key=PREDICTIONS).seal()
    world = World(spool, memory_bytes=50_000, chunk_bytes=20_000)
    world.orders = fx.Orders()
    faults = Faults(world).on(fx.AppendBlob, StoreDenied("no"), times=100_000, path="inputs")
    world.run(seconds=60)
    assert len(world.files()["predictions/2026/11/22/data.csv"]) == 4
    faults.chosen.clear()
    world.orders = fx.Orders(drain=True)
    assert world.drain().shipped() == spool.accepted


def test_a_day_that_cannot_be_listed_stops_no_other_and_keeps_its_order(spool):
    writer = spool.writer()
    for number in range(100):
        writer.collect([[float(number), 0.0]], key=INPUTS).collect([[float(number), 0.0]], key=PREDICTIONS)
    world = World(spool, memory_bytes=20_000, chunk_bytes=9_000)
    world.orders = fx.Orders()
    faults = Faults(world)
    faults.chosen.append([fx.ListBlobs, StoreDenied("no"), 100_000, False, ""])
    world.before = lambda _number, effect: (
        faults._raise(effect, late=False) if "inputs" in getattr(effect, "prefix", "") else None
    )
    world.run(seconds=60)
    assert len(world.files()["predictions/2026/11/22/data.csv"]) == 100
    faults.chosen.clear()
    world.run(seconds=120)
    assert world.shipped() == spool.accepted
    rows = [float(row["a"]) for row in world.files()["inputs/2026/11/22/data.csv"]]
    assert rows == sorted(rows)


def test_after_a_long_outage_the_backlog_goes_out_within_seconds_of_the_first_success(spool):
    writer = spool.writer()
    world = World(spool, flush_seconds=0.5, memory_bytes=60_000)
    world.orders = fx.Orders()
    world.run(seconds=2)
    down = True

    def outage(number, effect):
        if down and isinstance(effect, fx.StoreEffect):
            raise StoreUnavailable("down")

    world.before = outage
    for key in (INPUTS, PREDICTIONS):
        writer.collect_many(map(float, range(300)), key=key)
    world.run(seconds=600)
    assert not world.shipped()
    down = False
    world.run(seconds=65)
    assert world.shipped() == spool.accepted


def test_a_batch_that_has_no_room_in_the_quarantine_follows_once_somebody_has_made_room(spool):
    spool.path("quarantine", "of-old").write_bytes(bytes(1_000))
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool, quarantine_bytes=1_000)
    Faults(world).on(fx.AppendBlob, StoreRefused("never"), times=9)

    def make_room(_number, effect):
        if isinstance(effect, fx.Sleep) and "which is its bound" in str(world.progress.last_error):
            spool.path("quarantine", "of-old").unlink(missing_ok=True)

    world.after = make_room
    world.drain()
    (name,) = quarantined(spool)
    assert name.endswith(".refused.bytes")
