"""What a running shipper is told, and what becomes of its reports."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from modeltap.agent.announcer import Announcer
from modeltap.agent.control import AgentControl
from modeltap.agent.encoder import GrowingEncoder
from modeltap.agent.givenup import GivenUp
from modeltap.agent.status import StatusFile
from modeltap.core.key import day_of
from modeltap.services.catalog import read_day
from modeltap.services.writers import read_writers
from modeltap.shipping.effects import Commit, Progress
from modeltap.spool.progress import request_flush
from support.shippers import DAY, INPUTS

IDLE = Progress(
    segments={"host-1-a-r.0.seg": 100},
    settled={"host-1-a-r.0.seg": 90},
    shipped={"host-1-a-r": 5},
    quarantined={},
    dropped={},
    damaged={},
    shipped_rows=5,
    backlog_bytes=0,
    oldest_seconds=0.0,
    open_batches=0,
    living=0,
    idle=True,
    too_new=0,
    last_error=None,
    commits=(),
    given_up=(),
)


@pytest.fixture
def make(host):
    def made(**how):
        encoder = GrowingEncoder()
        return AgentControl(
            host.directory,
            StatusFile(host.directory, "file:///store", encoder),
            Announcer(host.store, "agent", encoder),
            GivenUp(host.directory, 1 << 30),
            **how,
        )

    return made


def test_each_request_to_flush_changes_the_mark(host, make):
    control = make()
    marks = [control.orders().flush]
    for _ in range(3):
        request_flush(host.directory)
        marks.append(control.orders().flush)
    assert len(set(marks)) == 4
    assert control.orders().flush == marks[-1]


def test_an_order_to_end_drains_first_and_ends_after_the_grace(make):
    control = make()
    assert not control.orders().drain
    control.stop(0.2)
    assert control.orders().drain
    assert not control.orders().end
    time.sleep(0.25)
    assert control.orders().end


def test_an_order_to_end_ends_a_pause(make):
    control = make()
    control.stop(60.0)
    started = time.monotonic()
    control.wait(30.0)
    assert time.monotonic() - started < 10
    control.wait(0.01)


def test_it_drains_when_nothing_came_and_nobody_lives(make):
    control = make(idle_seconds=0.1)
    control.report(IDLE)
    assert not control.orders().drain
    time.sleep(0.15)
    control.report(IDLE)
    assert control.orders().drain
    control.go_on()
    assert not control.orders().drain


@pytest.mark.parametrize("news", [{"living": 1}, {"idle": False}])
def test_news_begin_the_quiet_anew(make, news):
    control = make(idle_seconds=0.0)
    control.report(replace(IDLE, **news))
    assert not control.orders().drain


def test_it_makes_room_for_a_newer_agent(make):
    control = make(idle_seconds=0.0)
    control.report(replace(IDLE, living=1, too_new=1))
    assert control.orders().drain


def test_one_that_was_started_by_hand_never_ends_by_itself(make):
    control = make()
    control.report(IDLE)
    assert not control.orders().drain


def test_progress_is_published_before_a_pause(host, make):
    control = make()
    for shipped in range(20):
        control.report(replace(IDLE, shipped_rows=shipped))
    control.wait(0.0)
    assert host.status()["shipped_rows"] == 19
    assert host.status()["settled"] == {"host-1-a-r.0.seg": 90}
    assert host.status()["spool"] == host.directory.hash


def test_a_status_that_cannot_be_published_stops_nothing(host, make):
    control = make()
    host.spool.path("status.json").mkdir()
    control.report(IDLE)
    control.report(replace(IDLE, shipped_rows=7))
    control.wait(0.0)


def test_errors_are_published_without_secrets(host, make):
    control = make()
    control.report(replace(IDLE, last_error="GET https://x.blob.core.windows.net/c?sig=abcdef%3D&se=1 failed"))
    control.wait(0.0)
    assert "abcdef" not in host.status()["last_error"]


def test_services_and_files_are_told_to_the_store(host, make):
    host.announce("host-1-a-r", accepted=7)
    control = make()
    commit = Commit(INPUTS.data_file(day_of(DAY)), "0" * 16, 5, 50, 1, 2)
    control.report(replace(IDLE, commits=(commit,)))
    control.close()
    (writer,) = read_writers(host.store)
    assert (writer.workspace, writer.service) == (("sub", "rg", "ws"), "svc")
    assert writer.counters["collections"]["best_model/3/inputs"]["accepted"] == 7
    assert writer.counters["shipped"] == 5
    assert read_day(host.store, INPUTS, day_of(DAY)).files[commit.path].rows == 5


def test_a_store_that_does_not_answer_the_announcer_stops_nothing(host, make):
    host.store_path.write_text("in the way")
    host.announce("host-1-a-r")
    control = make()
    control.report(IDLE)
    control.close()


def test_rows_that_are_given_up_go_to_the_loss_ledger(host, make):
    control = make()
    control.report(replace(IDLE, given_up=(((INPUTS.tree, *INPUTS.parts), "too_many_schemas", 3),)))
    control.report(replace(IDLE, given_up=(((INPUTS.tree, *INPUTS.parts), "too_many_schemas", 4),)))
    written = b"".join(path.read_bytes() for path in host.spool.path("segments").iterdir())
    assert b'["too_many_schemas", 3,' in written
    assert b'["too_many_schemas", 4,' in written


def test_a_folder_of_writers_that_cannot_be_read_ends_no_agent(host, make):
    control = make()
    os.rmdir(host.directory.writers)
    control.report(IDLE)
    control.close()
    assert host.status()["shipped_rows"] == 5
