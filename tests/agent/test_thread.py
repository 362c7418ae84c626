"""The agent on a thread of the scoring process."""

from __future__ import annotations

import os
import threading

from modeltap.agent.thread import start
from modeltap.spool.locks import FileLock
from support.agents import eventually


def shippers():
    return [thread for thread in threading.enumerate() if thread.name == "modeltap-shipper"]


def test_it_ships_while_it_runs_and_ends_when_closed(host):
    writer = host.spool.writer().collect_many([1.0])
    thread = start(host.settings, host.directory)
    eventually(lambda: host.shipped() == host.spool.accepted)
    assert host.agent_runs()
    writer.collect_many([2.0])
    thread.close()
    assert host.shipped() == host.spool.accepted
    assert not host.agent_runs()
    assert not shippers()
    thread.close()


def test_it_takes_over_when_another_agent_has_gone(host):
    host.spool.writer().collect_many([1.0])
    lock = FileLock(host.directory.agent_lock)
    assert lock.acquire()
    thread = start(host.settings, host.directory)
    lock.close()
    eventually(lambda: host.shipped() == host.spool.accepted)
    thread.close()


def test_it_can_be_closed_while_another_agent_ships(host):
    lock = FileLock(host.directory.agent_lock)
    assert lock.acquire()
    thread = start(host.settings, host.directory)
    thread.close(timeout_seconds=0.5)
    lock.close()
    eventually(lambda: not shippers())


def test_what_goes_wrong_is_tried_again(host):
    host.store_path.write_text("in the way")
    host.spool.writer().collect_many([1.0])
    thread = start(host.settings, host.directory)
    eventually(lambda: host.status().get("last_error"))
    os.unlink(host.store_path)
    eventually(lambda: host.shipped() == host.spool.accepted)
    thread.close()
