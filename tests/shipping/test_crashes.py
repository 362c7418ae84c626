"""The shipper ends before any effect, and any effect fails: whatever happens, every row stands exactly once."""

from __future__ import annotations

import errno
import random

import pytest

from modeltap.errors import Conflict, StoreDenied, StoreUnavailable
from modeltap.shipping import effects as fx
from support.shippers import DAY, INPUTS, PREDICTIONS, Spool, World, is_disk, is_store, no_space


def two_keys(spool):
    writer = spool.writer()
    for number in range(6):
        writer.collect([[float(number), 0.0]], key=INPUTS).collect([[float(number), 1.0]], key=PREDICTIONS)
    writer.seal()


def midnight(spool):
    for stem in ("host-1-a-r", "host-2-a-r"):
        writer = spool.writer(stem)
        for number in range(4):
            writer.collect([[float(number), 0.0]], day=DAY + (number >= 2))
        writer.seal()


def new_schema_in_mid_stream(spool):
    writer = spool.writer()
    writer.collect([[1, None]], (("a", "int64"), ("b", "null"))).collect(
        [[1.5, "x"]], (("a", "float64"), ("b", "string"))
    )
    writer.collect([["t"]], (("c", "string"),)).collect([[2, "y"]], (("a", "int64"), ("b", "string")))


def torn_tail_and_rotation(spool):
    writer = spool.writer().collect_many([1.0, 2.0])
    writer.raw(writer.frame([[9.0, 9.0]], count=False)[:-5])
    writer.seal()
    spool.writer().collect_many([3.0]).seal()


SCENARIOS = [two_keys, midnight, new_schema_in_mid_stream, torn_tail_and_rotation]


def prepared(scenario, path):
    spool = Spool(path)
    scenario(spool)
    return spool


def world_of(spool, **config):
    return World(spool, **{"batch_rows": 3, "reserve_bytes": 64 << 10, **config})


def assert_exactly_once(world):
    assert world.shipped() == world.spool.accepted
    assert not list(world.spool.path("intents").iterdir())
    header = [world.store.read(info.path).count(b"$Timestamp") for info in world.store.list("modeldata/")]
    assert set(header) == {1}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_before_any_effect_loses_and_doubles_nothing(scenario, quick_path):
    template = prepared(scenario, quick_path / "template")
    count = len(world_of(template.copy(quick_path / "whole")).drain().trace)
    assert count > 60
    for number in range(count):
        world = world_of(template.copy(quick_path / str(number)))
        assert not world.run(until=number)
        assert_exactly_once(world.drain())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_crash_after_crash_loses_and_doubles_nothing(scenario, quick_path, nightly):
    template = prepared(scenario, quick_path / "template")
    chance = random.Random(scenario.__name__)
    for number in range(2_000 if nightly else 60):
        world = world_of(template.copy(quick_path / str(number)))
        while not world.run(until=chance.randrange(90)):
            pass
        assert_exactly_once(world.drain())


@pytest.mark.parametrize("error", [StoreUnavailable, StoreDenied, RuntimeError])
@pytest.mark.parametrize("late", [False, True], ids=["not_done", "done"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_call_to_the_store_may_fail_whether_it_was_done_or_not(scenario, late, error, quick_path):
    template = prepared(scenario, quick_path / "template")
    trace = world_of(template.copy(quick_path / "whole")).drain().trace
    for number in [number for number, effect in enumerate(trace) if is_store(effect)]:
        world = world_of(template.copy(quick_path / str(number)))
        fail_once(world, number, error("for a test"), late=late)
        assert_exactly_once(world.drain())
        assert world.progress.last_error is None


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_change_of_the_store_may_meet_a_conflict(scenario, quick_path):
    template = prepared(scenario, quick_path / "template")
    trace = world_of(template.copy(quick_path / "whole")).drain().trace
    changes = (fx.PutBlob, fx.CreateBlob, fx.AppendBlob)
    for number in [number for number, effect in enumerate(trace) if isinstance(effect, changes)]:
        world = world_of(template.copy(quick_path / str(number)))
        fail_once(world, number, Conflict("for a test"))
        assert_exactly_once(world.drain())


@pytest.mark.parametrize("error", [no_space, lambda: OSError(errno.EIO, "for a test")], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("late", [False, True], ids=["not_done", "done"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_call_to_the_disk_may_fail_whether_it_was_done_or_not(scenario, late, error, quick_path):
    template = prepared(scenario, quick_path / "template")
    trace = world_of(template.copy(quick_path / "whole")).drain().trace
    for number in [number for number, effect in enumerate(trace) if is_disk(effect)]:
        world = world_of(template.copy(quick_path / str(number)))
        fail_once(world, number, error(), late=late)
        try:
            world.drain()
        except OSError:  # at the start: the next one takes over
            assert number < 20
            world.drain()
        assert_exactly_once(world)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_disk_that_fails_for_a_while_at_any_call_delays_only(scenario, quick_path):
    template = prepared(scenario, quick_path / "template")
    trace = world_of(template.copy(quick_path / "whole")).drain().trace
    writes = [number for number, effect in enumerate(trace) if isinstance(effect, fx.WriteFile | fx.SyncFile)]
    for first in writes[::3]:
        world = world_of(template.copy(quick_path / str(first)))
        ends = world.clock + 3.0

        def full(number, effect, first=first, world=world, ends=ends):
            if number >= first and world.clock < ends and isinstance(effect, fx.WriteFile | fx.SyncFile):
                raise no_space()

        world.before = full
        try:
            world.drain()
        except OSError:
            world.clock = ends
            world.drain()
        assert_exactly_once(world)


def test_bytes_whose_name_may_not_be_on_disk_are_never_made_into_a_second_batch(quick_path):
    """The folder's sync fails, and giving up the reserve too; the file is there all the same, then comes a crash."""
    world = world_of(prepared(two_keys, quick_path / "spool"))
    failed = []

    def fail(number, effect):
        renamed = number and getattr(world.trace[number - 1], "new", "").endswith(".bytes")
        if len(failed) < 2 and (renamed or (isinstance(effect, fx.UnlinkFile) and effect.path.endswith("reserve"))):
            failed.append(effect)
            raise no_space()

    world.before = fail
    assert not world.run(until=60)
    assert len(failed) == 2
    assert_exactly_once(world.drain())


def fail_once(world, number, error, *, late=False):
    """Let one effect fail, before it does anything or after it has done it."""

    def fail(found, effect):
        if found == number:
            world.before = world.after = lambda _number, _effect: None
            raise error

    if late:
        world.after = fail
    else:
        world.before = fail
