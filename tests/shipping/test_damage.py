"""Damaged files of a spool: at most the frames that are touched are lost, never a wrong row, never a standstill."""

from __future__ import annotations

import random

import pytest

from modeltap.errors import FormatTooNew
from modeltap.shipping import effects as fx
from modeltap.shipping.batch import decode_file
from support.shippers import PREDICTIONS, Spool, World


@pytest.fixture
def spool(quick_path):
    return Spool(quick_path / "spool")


def flip(path, position, bit):
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def quarantined(spool):
    return {path.name: path.read_bytes() for path in spool.path("quarantine").iterdir()}


def test_a_flipped_bit_anywhere_in_a_segment_costs_at_most_the_frame_that_it_touches(spool, quick_path, nightly):
    writer = spool.writer().collect_many([1.0, 2.0, 3.0]).seal()
    size, chance = writer.path.stat().st_size, random.Random(1)
    too_new = 0
    for position in range(0, size, 1 if nightly else 3):
        copy = spool.copy(quick_path / str(position))
        flip(copy.path("segments", writer.name), position, chance.randrange(8))
        world = World(copy).drain()
        too_new += world.progress.too_new
        lost = copy.accepted - world.shipped()
        assert not world.shipped() - copy.accepted, position
        assert lost.total() <= 1 or world.progress.too_new, position
        assert (position > 90) >= (lost.total() == 1) or world.progress.too_new, position
        assert not world.progress.living
    assert too_new <= 2


def test_a_cut_anywhere_in_a_segment_costs_the_frames_behind_it(spool, quick_path, nightly):
    writer = spool.writer()
    ends = []
    for value in (1.0, 2.0, 3.0):
        writer.collect([[value, 0.0]])
        ends.append(writer.path.stat().st_size)
    writer.seal()
    for length in range(0, ends[-1], 1 if nightly else 3):
        copy = spool.copy(quick_path / str(length))
        path = copy.path("segments", writer.name)
        path.write_bytes(path.read_bytes()[:length])
        world = World(copy).drain()
        assert world.shipped().total() == sum(end <= length for end in ends)
        assert not world.shipped() - copy.accepted


def test_a_flipped_bit_anywhere_in_the_ledger_loses_and_doubles_nothing(spool, quick_path, nightly):
    for key in ({}, {"key": PREDICTIONS}):
        spool.writer(f"host-{len(key)}-a-r").collect_many([1.0, 2.0, 3.0, 4.0], **key)
    world = World(spool, batch_rows=2).drain()
    World(spool, world.store).drain()  # from now on the ledger is a snapshot
    chance = random.Random(2)
    for position in range(0, spool.path("ledger").stat().st_size, 1 if nightly else 7):
        copy = spool.copy(quick_path / str(position))
        flip(copy.path("ledger"), position, chance.randrange(8))
        copy.path("status.json").unlink()
        again = World(copy, world.store).drain()
        assert again.shipped() == spool.accepted, position
        assert not list(copy.path("intents").iterdir())


def test_a_flipped_bit_in_the_ledger_while_batches_are_open_loses_and_doubles_nothing(spool, quick_path, nightly):
    spool.writer().collect_many([1.0, 2.0, 3.0, 4.0]).collect_many([5.0, 6.0], key=PREDICTIONS)
    whole = World(spool.copy(quick_path / "whole"), batch_rows=2).drain()
    appends = [number for number, effect in enumerate(whole.trace) if isinstance(effect, fx.AppendBlob)]
    chance = random.Random(3)
    for until in (appends[0], appends[0] + 1, appends[1] + 1, appends[-1] + 1):
        template = spool.copy(quick_path / f"until-{until}")
        size = None
        for attempt in range(400 if nightly else 40):
            copy = template.copy(quick_path / f"{until}-{attempt}")
            world = World(copy, batch_rows=2)
            world.run(until=until)
            size = copy.path("ledger").stat().st_size
            flip(copy.path("ledger"), chance.randrange(size), chance.randrange(8))
            assert world.drain().shipped() == spool.accepted, (until, attempt)


def test_a_ledger_that_is_cut_anywhere_is_made_good_by_the_status(spool, quick_path):
    spool.writer().collect_many([1.0, 2.0, 3.0, 4.0])
    world = World(spool, batch_rows=2).drain()
    for length in range(0, spool.path("ledger").stat().st_size, 11):
        copy = spool.copy(quick_path / str(length))
        copy.path("ledger").write_bytes(copy.path("ledger").read_bytes()[:length])
        assert World(copy, world.store).drain().shipped() == spool.accepted, length


def test_a_torn_tail_is_set_aside_and_counted_once_its_process_is_gone(spool):
    writer = spool.writer().collect_many([1.0])
    whole = writer.path.stat().st_size
    torn = writer.frame([[2.0, 0.0]], count=False)[:-1]
    writer.raw(torn)
    world = World(spool).drain()
    assert not quarantined(spool)
    assert world.progress.segments[writer.name] == whole + len(torn)  # nobody who was told "accepted" waits for it
    assert world.progress.settled[writer.name] == whole
    writer.seal()
    world.drain()
    assert quarantined(spool) == {f"{writer.name}@{whole}-{whole + len(torn)}": torn}
    assert world.progress.damaged == {"torn_tail": len(torn)}
    assert world.shipped() == spool.accepted


def test_a_torn_frame_in_the_middle_of_a_living_segment_is_believed_when_it_is_seen_twice(spool):
    writer = spool.writer().collect_many([1.0])
    writer.raw(writer.frame([[2.0, 0.0]], count=False)[:-1])
    writer.collect_many([3.0])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert list(world.progress.damaged) == ["damaged"]
    reads = [effect.start for effect in world.trace if isinstance(effect, fx.ReadFile) and writer.name in effect.path]
    assert len(reads) == 2


def test_damage_is_counted_once_however_often_the_segment_is_read(spool):
    writer = spool.writer().collect_many([1.0])
    writer.raw(b"?" * 100)
    writer.collect_many([2.0])
    first = World(spool).drain()
    again = World(spool, first.store).drain()
    assert again.progress.damaged == first.progress.damaged == {"damaged": 100}
    assert again.shipped() == spool.accepted


def test_damage_that_is_longer_than_a_chunk_is_passed_over_in_bounded_memory(spool):
    writer = spool.writer().collect_many([1.0])
    writer.raw(random.Random(1).randbytes(5 << 20))
    writer.collect_many([2.0])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert world.progress.damaged == {"damaged": 5 << 20}
    assert max(len(data) for data in quarantined(spool).values()) <= 2 << 20


def test_a_frame_that_no_encoder_can_read_is_set_aside_alone(spool):
    writer = spool.writer().collect_many([1.0])
    writer.collect([[2.0, 0.0]], payload=b"short", count=False)
    writer.collect_many([3.0])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert list(world.progress.damaged) == ["undecodable"]
    assert world.progress.quarantined == {"host-1-a-r": 1}
    (frame,) = quarantined(spool).values()
    assert frame.endswith(b"short")
    assert World(spool, world.store).drain().shipped() == spool.accepted


@pytest.mark.parametrize(
    "how",
    [
        {"day": 3_000_000},
        {"columns": (("a", "no type"), ("b", "float64"))},
        {"key": PREDICTIONS.__class__("s", "g", "w", "", "m", "1", "d")},
        {"key": PREDICTIONS.__class__("s", "g", "w", "s", "m", "1", "d", tree="../elsewhere")},
    ],
    ids=["day", "type", "name", "tree"],
)
def test_a_frame_that_could_stand_in_no_file_is_set_aside_alone(spool, how):
    writer = spool.writer().collect_many([1.0])
    writer.collect(
        [[2.0, 0.0]], **{"columns": (("a", "float64"), ("b", "float64")), "layout": "float64", **how}, count=False
    )
    writer.collect_many([3.0])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert list(world.progress.damaged) == ["undecodable"]


def test_a_file_that_is_no_segment_and_a_segment_of_another_spool_are_moved_away(spool, quick_path):
    foreign = Spool(quick_path / "other", "memory://other").writer("host-9-a-r").collect_many([1.0]).seal()
    foreign.path.rename(spool.path("segments", foreign.name))
    spool.path("segments", "host-8-a-r.0.seg").write_bytes(b"no segment at all, whatever its name says")
    spool.writer().collect_many([2.0]).seal()
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert set(quarantined(spool)) == {foreign.name, "host-8-a-r.0.seg"}
    assert set(world.progress.damaged) == {"no_segment", "other_spool"}


def test_an_empty_file_is_left_alone_for_a_minute(spool):
    path = spool.path("segments", "host-8-a-r.0.seg")
    path.touch()
    world = World(spool)
    world.orders = fx.Orders()
    world.run(seconds=50)
    assert path.exists()
    world.run(seconds=70)
    assert not path.exists()


def test_a_segment_of_a_newer_modeltap_is_left_untouched_and_the_others_are_shipped(spool):
    newer = spool.writer("host-8-a-r").collect_many([1.0]).seal()
    data = bytearray(newer.path.read_bytes())
    data[8:10] = (2).to_bytes(2, "little")
    newer.path.write_bytes(data)
    spool.accepted.clear()
    spool.writer().collect_many([2.0]).seal()
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert newer.path.read_bytes() == data
    assert world.progress.too_new == 1


def test_a_ledger_of_a_newer_modeltap_is_refused_and_the_spool_left_untouched(spool):
    from zlib import crc32

    text = b'{"record":"ledger","format":2}'
    spool.path("ledger").write_bytes(b"%08x %b\n" % (crc32(text), text))
    spool.writer().collect_many([2.0]).seal()
    before = {path: path.read_bytes() for path in spool.path().rglob("*") if path.is_file()}
    with pytest.raises(FormatTooNew, match="upgrade modeltap"):
        World(spool).drain()
    assert {path: path.read_bytes() for path in spool.path().rglob("*") if path.is_file()} == before


def test_bytes_that_are_no_batch_are_moved_away(spool):
    spool.path("intents", "0" * 32 + ".bytes").write_bytes(b"MODELTAP-BATCH 1 00000000 {}\n")
    spool.writer().collect_many([2.0])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert list(quarantined(spool)) == ["0" * 32 + ".bytes"]


def test_a_full_quarantine_keeps_no_copies_and_goes_on(spool):
    writer = spool.writer().collect_many([1.0])
    writer.raw(b"?" * 1_000)
    writer.collect_many([2.0])
    world = World(spool, quarantine_bytes=500).drain()
    assert world.shipped() == spool.accepted
    assert not quarantined(spool)
    assert world.progress.damaged == {"damaged": 1_000}


def test_what_is_set_aside_can_be_read_back(spool):
    writer = spool.writer().collect_many([1.0])
    writer.seal()
    world = World(spool)
    appends = []

    def refuse(number, effect):
        if isinstance(effect, fx.AppendBlob):
            appends.append(effect)
            from modeltap.errors import StoreRefused

            raise StoreRefused("never")

    world.before = refuse
    world.drain()
    (stored,) = quarantined(spool).values()
    assert decode_file(stored)[1] == appends[0].data


def test_the_rows_of_a_newer_segment_are_told_as_waiting(spool):
    newer = spool.writer("host-8-a-r").collect_many([1.0]).seal()
    data = bytearray(newer.path.read_bytes())
    data[8:10] = (2).to_bytes(2, "little")
    newer.path.write_bytes(data)
    world = World(spool).drain()
    assert world.progress.segments[newer.name] == 0
    assert world.progress.backlog_bytes == len(data)
    world.orders = fx.Orders(flush="now")
    world.run(seconds=5.0)
    assert sum(isinstance(effect, fx.Sleep) for effect in world.trace) < 60  # they do not keep the others urgent
