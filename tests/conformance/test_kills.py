"""Writers that are killed at random instants, on every store that outlives its writers."""

from __future__ import annotations

import random
import time

import pytest

from support.appending import HEADER, ROWS, rows_of
from support.backends import Local

PATH = "modeldata/sub/rg/ws/service/model/1/inputs/2026/11/22/data.csv"
BATCHES = 400


@pytest.fixture(params=[Local], ids=["local"])
def outliving(request, tmp_path):
    return request.param(tmp_path)


@pytest.mark.crash
def test_a_writer_that_is_killed_again_and_again_commits_each_batch_once(outliving, nightly):
    """Each kill falls some instants after the writer has said that a batch is in."""
    kills, chance, batches = (2_000, random.Random(), BATCHES * 20) if nightly else (30, random.Random(7), BATCHES)
    killed = 0
    for _ in range(kills):
        child = outliving.start_writer(PATH, "a", batches)
        try:
            if not child.stdout.readline():
                break
            time.sleep(chance.random() * 0.01)
        finally:
            child.kill()
            child.communicate()
        killed += 1
    outliving.append_together(PATH, ["a"], batches)

    assert killed == kills, "the writer was done before it was killed that often: give it more batches"
    assert outliving.open().read(PATH) == HEADER + b"".join(rows_of("a", batch) for batch in range(batches))


@pytest.mark.crash
def test_writers_go_on_while_others_on_the_same_file_are_killed(outliving):
    chance = random.Random(11)
    survivor = outliving.start_writer(PATH, "b", BATCHES // 2)
    for _ in range(10):
        child = outliving.start_writer(PATH, "a", BATCHES // 2)
        try:
            child.stdout.readline()
            time.sleep(chance.random() * 0.01)
        finally:
            child.kill()
            child.communicate()
    _, said = survivor.communicate(timeout=60)
    assert survivor.returncode == 0, said.decode()
    outliving.append_together(PATH, ["a"], BATCHES // 2)

    rows = outliving.open().read(PATH).splitlines(keepends=True)
    wanted = [row for name in "ab" for batch in range(BATCHES // 2) for row in rows_of(name, batch).splitlines(True)]
    assert rows[0] == HEADER
    assert len(rows) == 1 + 2 * (BATCHES // 2) * ROWS
    assert sorted(rows[1:]) == sorted(wanted)
