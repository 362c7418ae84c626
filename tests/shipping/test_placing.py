"""Finding and making the files of a day, in a store that others write to as well."""

from __future__ import annotations

import pytest

from modeltap.core.key import day_of
from modeltap.core.schema import Schema
from modeltap.errors import Conflict
from modeltap.services.schemas import ensure_schema, read_schema, schema_path
from modeltap.shipping import effects as fx
from modeltap.shipping.header import header_line
from support.shippers import DAY, INPUTS, Spool, World

FLOATS = Schema((("a", "float64"), ("b", "float64")))
TURNED = Schema((("b", "float64"), ("a", "float64")))
OTHER = Schema((("z", "string"),))


def path(number=0):
    return INPUTS.data_file(day_of(DAY), number)


@pytest.fixture
def world(quick_path):
    spool = Spool(quick_path / "spool")
    spool.writer().collect([[1.0, 2.0]])
    return World(spool)


def make(world, schema, number=0, *, told=True):
    """Another host makes a file of the day."""
    if told:
        ensure_schema(world.store, INPUTS, schema)
    world.store.create(path(number), header_line(schema), {"schema": schema.id})


def rows(world, number=0):
    return world.store.read(path(number)).count(b"\r\n") - 1


def test_a_file_of_another_host_with_the_same_columns_is_used_even_without_its_schema_file(world):
    make(world, FLOATS, told=False)
    world.drain()
    assert rows(world) == 1


def test_a_file_of_another_host_with_its_columns_turned_is_used_by_its_schema_file(world):
    make(world, TURNED)
    world.drain()
    assert world.store.read(path()).endswith(b",2.0,1.0\r\n")


@pytest.mark.parametrize("damage", [b"{", b'{"format": 1, "columns": []}', b'{"columns": [{"name": 1}]}'])
def test_a_file_whose_schema_nobody_can_say_is_left_alone(world, damage):
    make(world, TURNED, told=False)
    world.store.put(schema_path(INPUTS, TURNED.id), damage)
    world.drain()
    assert (rows(world), rows(world, 1)) == (0, 1)


def test_a_file_that_modeltap_did_not_make_is_left_alone(world):
    world.store.put(path(), b"a,b\r\n7,8\r\n")
    world.drain()
    assert world.store.read(path()) == b"a,b\r\n7,8\r\n"
    assert rows(world, 1) == 1


def test_a_damaged_schema_file_is_mended_before_the_first_row(world):
    world.store.put(schema_path(INPUTS, FLOATS.id), b"damaged")
    world.drain()
    assert read_schema(world.store, INPUTS, FLOATS.id) == FLOATS


@pytest.mark.parametrize(("theirs", "number"), [(FLOATS, 0), (TURNED, 0), (OTHER, 1)])
def test_who_loses_the_race_for_a_file_looks_again(world, theirs, number):
    def be_first(_number, effect):
        if isinstance(effect, fx.CreateBlob) and effect.path == path():
            world.before = lambda _number, _effect: None
            make(world, theirs)

    world.before = be_first
    assert world.drain().shipped().total() == 1
    assert rows(world, number) == 1


def test_who_loses_the_race_for_a_schema_file_finds_it_whole(world):
    def be_first(_number, effect):
        if isinstance(effect, fx.PutBlob):
            world.before = lambda _number, _effect: None
            ensure_schema(world.store, INPUTS, FLOATS)

    world.before = be_first
    assert world.drain().shipped() == world.spool.accepted


def test_races_that_never_end_are_given_up_for_a_while(world):
    lost = []

    def always_first(_number, effect):
        if isinstance(effect, fx.CreateBlob) and len(lost) < 100:
            lost.append(effect)
            raise Conflict("somebody was first, and then it was gone")

    world.before = always_first
    assert world.drain().shipped() == world.spool.accepted
    assert "races" in {report.last_error for report in world.reports if report.last_error}.pop()


def test_a_day_takes_so_many_schemas_and_gives_up_the_rows_of_further_ones(quick_path):
    spool = Spool(quick_path / "many")
    writer = spool.writer()
    for number in range(5):
        writer.collect([[1.0]], ((f"column {number}", "float64"),), count=number < 3)
    writer.collect([[2.0]], (("column 0", "float64"),))
    world = World(spool, schemas_per_day=3).drain()
    assert world.shipped() == spool.accepted
    assert world.progress.dropped == {"too_many_schemas": 2}
    given_up = [found for report in world.reports for found in report.given_up]
    assert sum(rows for _, _, rows in given_up) == 2
    assert {key for key, _, _ in given_up} == {(INPUTS.tree, *INPUTS.parts)}
    again = World(spool, world.store, schemas_per_day=3).drain()
    assert again.progress.dropped == {"too_many_schemas": 2}


def test_hundreds_of_collections_are_forgotten_when_nothing_waits_for_them(quick_path):
    spool = Spool(quick_path / "wide")
    writer = spool.writer()
    keys = [INPUTS.__class__("sub", "rg", "ws", "svc", f"m{number}", "1", "d") for number in range(300)]
    for key in keys:
        writer.collect([[1.0, 2.0]], key=key, count=False)
    world = World(spool, flush_seconds=0.1)
    world.orders = fx.Orders()
    world.run(seconds=2, until=-1)
    for key in keys:
        writer.collect([[3.0, 4.0]], key=key, count=False)
    world.orders = fx.Orders(drain=True)
    world.drain()
    assert {world.store.read(info.path).count(b"\r\n") for info in world.store.list("modeldata/")} == {3}


def test_a_row_with_whole_numbers_goes_to_a_file_of_floats_and_one_too_large_to_its_own(quick_path):
    spool = Spool(quick_path / "numbers")
    writer = spool.writer()
    writer.collect([[0.5]], (("a", "float64"),), layout="cells")
    writer.collect([[7]], (("a", "int64"),))
    writer.collect([[2**53 + 1]], (("a", "int64"),))
    world = World(spool).drain()
    cells = {name: [row["a"] for row in found] for name, found in world.files().items()}
    assert cells == {
        "inputs/2026/11/22/data.csv": ["0.5", "7.0"],
        "inputs/2026/11/22/data-1.csv": [str(2**53 + 1)],
    }
