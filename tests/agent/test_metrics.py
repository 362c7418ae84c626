"""Metrics in the text form that Prometheus reads."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from modeltap.agent.metrics import serving
from modeltap.agent.process import Agent
from modeltap.errors import SettingsError
from support.agents import eventually


def fetched(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def test_metrics_of_scoring_processes_and_of_shipping_are_served(host):
    host.announce("host-1-a-r", accepted=2)
    host.spool.writer().collect_many([1.0, 2.0])
    agent = Agent(host.directory, host.settings, drain=True)
    assert agent.lock()
    with serving(agent.control, "127.0.0.1:0") as port:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            fetched(port, "/healthz")
        agent.run()
        assert fetched(port, "/healthz") == "ok\n"
        text = eventually(lambda: fetched(port, "/metrics"))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(port, "/")
    labels = 'service="svc",model="best_model",version="3",designation="inputs"'
    assert f"modeltap_rows_accepted_total{{{labels}}} 2\n" in text
    assert f'modeltap_rows_rejected_total{{{labels},reason="ragged_rows"}} 2\n' in text
    assert "modeltap_rows_shipped_total 2\n" in text
    assert "modeltap_spool_bytes 0\n" in text
    assert "modeltap_up 1\n" in text
    assert all(line.startswith(("# HELP ", "# TYPE ", "modeltap_")) for line in text.splitlines())


def test_no_address_serves_nothing(host):
    with serving(Agent(host.directory, host.settings).control, "") as port:
        assert port == 0


def test_an_address_that_is_none_is_refused(host):
    with pytest.raises(SettingsError, match="host:port"), serving(Agent(host.directory, host.settings).control, "here"):
        pass
