"""Several writers on one file, at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from modeltap.errors import Conflict
from support.appending import HEADER, METADATA, rows_of

PATH = "modeldata/sub/rg/ws/service/model/1/inputs/2026/11/22/data.csv"
BATCHES = 40


def batches_in(data: bytes, writers: list[str], batches: int) -> list[tuple[str, int]]:
    """Take a file apart into the batches that it must consist of, in file order."""
    assert data.startswith(HEADER)
    rest, found = data[len(HEADER) :], []
    known = {rows_of(writer, batch): (writer, batch) for writer in writers for batch in range(batches)}
    while rest:
        end = next(len(rows) for rows in known if rest.startswith(rows))
        found.append(known[rest[:end]])
        rest = rest[end:]
    return found


@pytest.mark.parametrize("writers", [["a", "b"], ["a", "b", "c", "d"]], ids=len)
def test_every_batch_of_every_writer_stands_once_and_whole_behind_one_header(backend, writers):
    backend.append_together(PATH, writers, BATCHES)

    found = batches_in(backend.open().read(PATH), writers, BATCHES)

    assert sorted(found) == [(writer, batch) for writer in writers for batch in range(BATCHES)]
    for writer in writers:
        assert [batch for name, batch in found if name == writer] == list(range(BATCHES))
    assert backend.open().head(PATH).metadata == METADATA


def test_one_of_many_creators_makes_the_file(backend):
    def create(number):
        try:
            return backend.open().create(PATH, b"header %d\r\n" % number, {"schema": str(number)})
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [info for info in pool.map(create, range(16)) if info]

    assert len(made) == 1
    assert backend.open().head(PATH) == made[0]
    assert backend.open().read(PATH) == b"header %s\r\n" % made[0].metadata["schema"].encode()


def test_one_of_many_batches_for_one_position_gets_it(backend):
    backend.open().create(PATH, HEADER, METADATA)

    def append(number):
        try:
            return backend.open().append(PATH, b"%04d\r\n" % number, position=len(HEADER), batch_id=str(number))
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        committed = [info for info in pool.map(append, range(32)) if info]

    assert len(committed) == 1
    assert backend.open().head(PATH).size == len(HEADER) + 6


def test_a_reader_sees_only_whole_batches_and_never_less_than_before(backend):
    backend.open().create(PATH, HEADER, METADATA)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(backend.append_together, PATH, ["a", "b"], BATCHES)
        seen, sizes = 0, set()
        while not writing.done():
            data = backend.open().read(PATH)
            assert len(data) >= seen
            seen = len(data)
            sizes.add(seen)
        writing.result()

    whole = backend.open().read(PATH)
    ends, position = {len(HEADER)}, len(HEADER)
    for writer, batch in batches_in(whole, ["a", "b"], BATCHES):
        position += len(rows_of(writer, batch))
        ends.add(position)
    assert sizes <= ends
