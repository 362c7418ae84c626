"""The spool as the doctor sees it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from modeltap.core.settings import resolve
from modeltap.spool.directory import SpoolDirectory
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING
from modeltap.workspace.places import Place
from modeltap.workspace.spoolcheck import neighbours, open_spool, place_findings

DISK, LAYER, MEMORY, NETWORK = Place("ext4", "/"), Place("overlay", "/"), Place("tmpfs", "/"), Place("nfs4", "/")


@pytest.fixture
def settings(tmp_path):
    return resolve({"MODELTAP_STORE": str(tmp_path / "store"), "MODELTAP_SPOOL": str(tmp_path / "spool")})


def last_rows(settings, place, *, container, agent_runs=False):
    return list(place_findings(settings, place, container=container, agent_runs=agent_runs))[-1]


def test_a_spool_that_is_not_there_is_not_made(settings):
    spool, (finding,) = open_spool(settings)
    assert spool is None
    assert finding.level == NOTE
    assert f"no process of user {os.getuid()} has collected" in finding.sentence
    assert not os.path.exists(settings.spool)


def test_a_spool_that_cannot_be_made_is_a_problem(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    _, (finding,) = open_spool(replace(settings, spool=str(tmp_path / "file" / "spool")))
    assert finding.level == PROBLEM
    assert "cannot be made" in finding.sentence


def test_a_spool_of_this_user_and_store_is_opened(settings):
    made = SpoolDirectory.open(settings.spool, settings.store)
    spool, (finding,) = open_spool(settings)
    assert spool is not None
    assert (spool.path, finding.level) == (made.path, OK)


def test_a_spool_with_another_mode_is_a_problem_that_says_so(settings):
    made = SpoolDirectory.open(settings.spool, settings.store)
    os.chmod(made.segments, 0o755)
    spool, (finding,) = open_spool(settings)
    assert spool is None
    assert finding.level == PROBLEM
    assert "mode 700" in finding.sentence


def test_spools_for_other_stores_are_named(settings, tmp_path):
    SpoolDirectory.open(settings.spool, settings.store)
    SpoolDirectory.open(settings.spool, str(tmp_path / "elsewhere"))
    (finding,) = neighbours(settings)
    assert f"for file://{tmp_path}/elsewhere" in finding.sentence
    assert list(neighbours(replace(settings, spool=str(tmp_path / "nowhere")))) == []


@pytest.mark.parametrize(
    ("place", "container", "level"),
    [
        (DISK, False, OK),
        (DISK, True, OK),
        (LAYER, False, OK),
        (LAYER, True, WARNING),
        (MEMORY, False, WARNING),
        (NETWORK, True, WARNING),
    ],
)
def test_the_file_system_is_judged(settings, place, container, level):
    finding = next(place_findings(settings, place, container=container, agent_runs=False))
    assert (finding.level, place.kind in finding.sentence) == (level, True)


def test_last_rows_are_lost_only_when_no_way_is_left(settings):
    given_up = replace(settings, exit_flush_seconds=0.0)
    lost = last_rows(given_up, LAYER, container=True)
    assert lost.level == PROBLEM
    assert "MODELTAP_EXIT_FLUSH_SECONDS=20" in lost.remedy
    ways = [
        last_rows(replace(given_up, exit_flush_seconds=20.0), LAYER, container=True),
        last_rows(given_up, DISK, container=True),
        last_rows(given_up, MEMORY, container=False),
        last_rows(replace(given_up, shipper="none"), LAYER, container=True, agent_runs=True),
    ]
    assert [way.level for way in ways] == [OK] * 4
    assert "waiting up to 20 s at exit" in ways[0].sentence
    assert "the next run on this spool" in ways[1].sentence
    assert "an agent that outlives the service" in ways[2].sentence


def test_memory_durability_in_a_container_leaves_no_next_run(settings):
    careless = replace(settings, exit_flush_seconds=0.0, durability="memory")
    assert last_rows(careless, DISK, container=True).level == PROBLEM


def test_a_disk_that_is_smaller_than_the_bound_is_a_warning(settings):
    findings = place_findings(replace(settings, spool_max_bytes=1 << 60), DISK, container=False, agent_runs=False)
    assert any("may grow to" in finding.sentence for finding in findings)
