"""The scoring processes of a spool."""

from __future__ import annotations

import os
import time
from pathlib import Path

from modeltap.agent.scorers import KEPT_ENDED, KEPT_SECONDS, forget_ended, read_scorers, reasons, services_of


def test_counters_are_added_up_service_by_service(host):
    host.announce("host-1-a-r", accepted=3)
    host.announce("host-2-a-r", pid=2**22 - 1, accepted=4)
    host.spool.path("writers", "damaged.json").write_text('{"services": ')
    host.spool.path("writers", "odd.json").write_text('{"services": {"x": {"y": 1}, "a/b/c/d": 5}, "pid": "1"}')
    scorers = read_scorers(host.directory)
    assert {scorer.stem: scorer.living for scorer in scorers} == {"host-1-a-r": True, "host-2-a-r": False, "odd": False}
    service = next(service for service in services_of(scorers) if service.name == "svc")
    assert service.workspace == ("sub", "rg", "ws")
    assert service.collections["best_model/3/inputs"]["accepted"] == 7
    assert dict(reasons(service.collections["best_model/3/inputs"], "rejected")) == {"ragged_rows": 4}
    assert service.stems == ("host-1-a-r", "host-2-a-r")


def test_a_process_of_another_host_is_not_known_to_live(host):
    host.announce("host-1-a-r")
    path = Path(host.directory.writers, "host-1-a-r.json")
    path.write_text(path.read_text().replace(os.uname().nodename, "elsewhere"))
    assert [scorer.living for scorer in read_scorers(host.directory)] == [False]


def test_documents_of_ended_processes_are_kept_for_a_day(host):
    host.announce("host-1-a-r", pid=2**22 - 1)
    host.announce("host-2-a-r")
    host.announce("host-3-a-r", pid=2**22 - 1)
    host.spool.writer("host-3-a-r")
    forget_ended(host.directory, read_scorers(host.directory))
    assert len(read_scorers(host.directory)) == 3
    forget_ended(host.directory, read_scorers(host.directory), now=time.time() + KEPT_SECONDS + 60)
    assert {scorer.stem for scorer in read_scorers(host.directory)} == {"host-2-a-r", "host-3-a-r"}


def test_a_host_that_starts_processes_all_day_keeps_a_bounded_number(host):
    for number in range(KEPT_ENDED + 20):
        host.announce(f"host-{number}-a-r", pid=2**22 - 1)
    forget_ended(host.directory, read_scorers(host.directory))
    assert len(read_scorers(host.directory)) == KEPT_ENDED
