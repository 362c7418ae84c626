"""The shipper, from segments to data files."""

from __future__ import annotations

import gc

import pytest

from modeltap.core.schema import Schema
from modeltap.shipping import effects as fx
from support.shippers import DAY, FLOATS, INPUTS, PREDICTIONS, Spool, World


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def test_rows_of_a_sealed_segment_arrive_once_and_the_segment_is_removed(spool):
    spool.writer().collect([[1.0, 2.0]]).collect([[3.0, 4.0], [5.0, 6.0]]).seal()
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert list(world.files()) == ["inputs/2026/11/22/data.csv"]
    assert not list(spool.path("segments").iterdir())
    assert not list(spool.path("intents").iterdir())


def test_rows_of_a_living_process_arrive_and_its_segment_stays(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert writer.path.exists()
    assert world.progress.segments == {writer.name: writer.path.stat().st_size}
    assert world.progress.living == 1


def test_two_designations_two_days_and_two_processes_go_to_their_files(spool):
    first, second = spool.writer("host-1-a-r"), spool.writer("host-2-a-r")
    for number in range(20):
        for writer in (first, second):
            writer.collect([[float(number), 0.0]], key=INPUTS, day=DAY + number // 10)
            writer.collect([[float(number), 1.0]], key=PREDICTIONS, day=DAY + number // 10)
    first.seal()
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert {path: len(rows) for path, rows in world.files().items()} == {
        "inputs/2026/11/22/data.csv": 20,
        "inputs/2026/11/23/data.csv": 20,
        "predictions/2026/11/22/data.csv": 20,
        "predictions/2026/11/23/data.csv": 20,
    }


def test_the_rows_of_a_process_keep_their_order(spool):
    writer = spool.writer()
    for number in range(300):
        columns = (("a", "int64" if number % 3 else "float64"), ("b", "null" if number % 5 else "string"))
        writer.collect([[number if number % 3 else float(number), None if number % 5 else "x"]], columns)
    world = World(spool, batch_rows=64).drain()
    assert len(world.files()) == 1
    assert [row["$Timestamp"] for row in world.files()["inputs/2026/11/22/data.csv"]] == sorted(
        row["$Timestamp"] for row in world.files()["inputs/2026/11/22/data.csv"]
    )
    assert sum(world.shipped().values()) == 300


def test_a_second_schema_of_a_day_gets_a_file_of_its_own(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    writer.collect([["x"]], (("other", "string"),))
    writer.collect([[3.0, 4.0]])
    world = World(spool).drain()
    assert world.shipped() == spool.accepted
    assert {path: len(rows) for path, rows in world.files().items()} == {
        "inputs/2026/11/22/data.csv": 2,
        "inputs/2026/11/22/data-1.csv": 1,
    }


def test_the_schema_file_stands_before_the_data_file(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool).drain()
    verbs = [type(effect).__name__ for effect in world.trace if isinstance(effect, fx.PutBlob | fx.CreateBlob)]
    assert verbs == ["PutBlob", "CreateBlob"]
    (info,) = world.store.list("modeldata/")
    assert world.store.head(f"modeltap/schemas/{INPUTS.folder}/{info.metadata['schema']}.json")


def test_rows_wait_for_company_for_the_flush_interval_and_no_longer(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool, flush_seconds=10.0)
    world.orders = fx.Orders()
    world.run(seconds=9.0)
    assert not world.shipped()
    world.run(seconds=11.0)
    assert world.shipped() == spool.accepted
    writer.collect([[2.0, 2.0]])


def test_a_full_batch_does_not_wait(spool):
    spool.writer().collect_many(map(float, range(100)))
    world = World(spool, flush_seconds=3_600.0, batch_rows=10)
    world.orders = fx.Orders()
    world.run(seconds=5.0)
    assert world.shipped() == spool.accepted


def test_a_request_to_flush_ends_the_waiting(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool, flush_seconds=3_600.0)
    world.orders = fx.Orders()

    def ask(number, effect):
        if world.clock > 1_002.0:
            world.orders = fx.Orders(flush="please")

    world.before = ask
    world.run(seconds=3.0)
    assert world.shipped() == spool.accepted


def test_the_pause_between_two_looks_eases_when_nothing_comes(spool):
    spool.writer()
    world = World(spool)
    world.orders = fx.Orders()
    world.run(seconds=30.0)
    pauses = [effect.seconds for effect in world.trace if isinstance(effect, fx.Sleep)]
    assert pauses[0] == pytest.approx(0.05)
    assert pauses[-1] == pytest.approx(0.25)
    assert len(pauses) < 150


def test_rows_that_come_while_it_runs_arrive_in_several_batches(spool):
    writer = spool.writer()
    world = World(spool, flush_seconds=0.2)
    world.orders = fx.Orders()
    expected = iter(range(50))

    def collect(number, effect):
        if isinstance(effect, fx.Sleep) and (value := next(expected, None)) is not None:
            writer.collect([[float(value), 0.0]])

    world.before = collect
    world.run(seconds=30.0)
    assert world.shipped() == spool.accepted
    assert sum(isinstance(effect, fx.AppendBlob) for effect in world.trace) > 5


def test_an_order_to_end_leaves_the_rest_in_the_spool(spool):
    spool.writer().collect([[1.0, 2.0]])
    world = World(spool)
    world.orders = fx.Orders(end=True)
    assert world.run()
    assert not world.shipped()
    world.orders = fx.Orders(drain=True)
    assert world.drain().shipped() == spool.accepted


def test_what_is_shipped_and_where_it_stands_is_reported(spool):
    spool.writer().collect([[1.0, 2.0]]).collect([[3.0, 4.0]])
    world = World(spool).drain()
    assert world.progress.shipped == {"host-1-a-r": 2}
    assert world.progress.shipped_rows == 2
    assert world.progress.backlog_bytes == 0
    assert world.progress.idle
    (commit,) = [commit for progress in world.reports for commit in progress.commits]
    assert (commit.rows, commit.path) == (2, INPUTS.data_file(_day()))


def test_a_shipper_that_starts_again_ships_only_what_is_new(spool):
    writer = spool.writer().collect([[1.0, 2.0]])
    world = World(spool).drain()
    writer.collect([[3.0, 4.0]])
    world.drain()
    assert world.shipped() == spool.accepted
    assert world.progress.shipped_rows == 2


def test_two_hosts_ship_to_the_same_file(spool, tmp_path):
    other = Spool(tmp_path / "other")
    spool.writer("host-1-a-r").collect([[1.0, 2.0]])
    other.writer("host-2-a-r").collect([[1.0, 2.0]])
    world = World(spool).drain()
    second = World(other, world.store).drain()
    assert second.shipped() == spool.accepted + other.accepted
    assert len(second.files()) == 1


def test_memory_is_bounded_whatever_the_backlog(spool):
    for number in range(6):
        spool.writer(f"host-{number}-a-r").collect_many(map(float, range(400))).seal()
    world = World(spool, memory_bytes=100_000, chunk_bytes=40_000, flush_seconds=3_600.0)
    world.drain()
    assert world.shipped() == spool.accepted
    assert max(progress.oldest_seconds for progress in world.reports) < 1


def test_columns_in_another_order_go_to_the_same_file(spool):
    writer = spool.writer().collect([[1.0, 2.0]], FLOATS)
    writer.collect([[4.0, 3.0]], tuple(reversed(FLOATS)), count=False)
    world = World(spool).drain()
    (rows,) = world.files().values()
    assert [(row["a"], row["b"]) for row in rows] == [("1.0", "2.0"), ("3.0", "4.0")]


def _day():
    from modeltap.core.key import day_of

    return day_of(DAY)


def test_a_day_with_a_new_schema_in_each_row_is_forgotten_when_it_is_shipped(spool):
    writer = spool.writer()
    for number in range(40):
        writer.collect([[1] * 100], [(f"k{number}_{column}", "int64") for column in range(100)])
    world = World(spool, known_columns=1_000)
    world.orders = fx.Orders()
    world.start()
    while not (world.reports and world.progress.dropped and world.progress.idle and world.slept > 5.0):
        world.step()
    assert world.progress.dropped == {"too_many_schemas": 8}
    assert world.shipped().total() == 32
    gc.collect()
    living = [found for found in gc.get_objects() if isinstance(found, Schema) and len(found.columns) == 100]
    assert len(living) <= 10
    world.crash()
    writer.collect([[1] * 100], [(f"k7_{column}", "int64") for column in range(100)])
    world.orders = fx.Orders(drain=True)
    assert world.drain().shipped().total() == 33
