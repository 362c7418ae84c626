"""Flush, with and without an agent."""

from __future__ import annotations

import os
import threading

import pytest

from modeltap.agent.flush import flush
from modeltap.errors import SettingsError
from support.agents import eventually
from support.shippers import Spool


@pytest.fixture(autouse=True)
def _slow(monkeypatch):
    monkeypatch.setenv("MODELTAP_FLUSH_SECONDS", "3600")


def flushed(host, seconds=60.0):
    return flush(str(host.spool.root), str(host.store_path), seconds)


def test_without_an_agent_this_process_ships(host):
    host.spool.writer().collect_many([1.0])
    host.spool.writer("host-2-a-r").collect_many([2.0]).seal()
    assert flushed(host)
    assert host.shipped() == host.spool.accepted
    assert not host.agent_runs()


def test_an_agent_that_waits_for_company_ships_at_once(host):
    agent = host.agent()
    eventually(lambda: host.agent_runs() and "segments" in host.status())
    host.spool.writer().collect_many([1.0])
    assert flushed(host)
    assert host.shipped() == host.spool.accepted
    assert agent.poll() is None


def test_an_empty_spool_is_shipped(host):
    host.spool.writer()
    assert flushed(host, 20)


def test_rows_that_cannot_be_shipped_are_left_after_the_time(host):
    host.store_path.write_text("in the way")
    host.spool.writer().collect_many([1.0])
    assert not flushed(host, 1.5)
    os.unlink(host.store_path)
    assert flushed(host)
    assert host.shipped() == host.spool.accepted


def test_when_the_agent_dies_meanwhile_this_process_takes_over(host):
    agent = host.agent()
    eventually(lambda: host.agent_runs() and "segments" in host.status())
    host.spool.writer().collect_many([1.0])
    killer = threading.Timer(0.01, agent.kill)
    killer.start()
    assert flushed(host)
    killer.join()
    assert host.shipped() == host.spool.accepted


def test_a_store_that_this_version_cannot_open_is_named(host):
    Spool(host.spool.root, "az://container").writer().collect_many([1.0])
    with pytest.raises(SettingsError, match="Azure"):
        flush(str(host.spool.root), "az://container", 1.0)


def test_rows_of_a_newer_modeltap_are_left_and_said_to_be_left(host):
    newer = host.spool.writer("host-8-a-r").collect_many([1.0]).seal()
    data = bytearray(newer.path.read_bytes())
    data[8:10] = (2).to_bytes(2, "little")
    newer.path.write_bytes(data)
    assert not flushed(host, seconds=1.0)
    assert host.agent("--once").wait(60) == 1
