"""The doctor: what it finds on real spools and stores, healthy and ill, and what it leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from modeltap.core.settings import resolve
from modeltap.spool.directory import SpoolDirectory, publish_document
from modeltap.stores.urls import open_store
from modeltap.workspace.activity import STUCK_SECONDS, agent_findings, tally, writer_findings
from modeltap.workspace.doctor import examine
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING
from modeltap.workspace.listing import list_collections
from support.pythons import python

SCORING = """
import modeltap
inputs = modeltap.ModelDataCollector("churn", "inputs", feature_names=["age", "name"])
for age in range(20):
    inputs.collect([[age, "x"]])
inputs.collect([[1, 2], [3]])
print(modeltap.flush(30.0))
"""


@pytest.fixture
def environment(tmp_path):
    return {
        "MODELTAP_STORE": str(tmp_path / "store"),
        "MODELTAP_SPOOL": str(tmp_path / "spool"),
        "MODELTAP_SHIPPER": "thread",
        "MODELTAP_FLUSH_SECONDS": "0.1",
    }


@pytest.fixture
def scored(environment):
    """A service has run here: 20 rows arrived, one call was ragged."""
    done = python(SCORING, **environment)
    assert done.out == "True\n", done.err
    return environment


def of(report, topic):
    return [finding for finding in report.findings if finding.topic == topic]


def test_after_a_service_has_run_everything_is_well_and_its_rows_are_counted(scored):
    report = examine(scored)
    assert report.healthy, report.findings
    assert any("had 20 rows accepted" in finding.sentence for finding in of(report, "writers"))
    (rejected,) = [finding for finding in of(report, "rows") if finding.level == WARNING]
    assert "2 rows were rejected: ragged" in rejected.sentence or "1 rows were rejected: ragged" in rejected.sentence
    (self_test,) = of(report, "self-test")
    assert self_test.level == OK


def test_the_self_test_leaves_the_data_and_the_counters_as_they_were(scored):
    store = open_store(scored["MODELTAP_STORE"])
    spool = SpoolDirectory.open(scored["MODELTAP_SPOOL"], scored["MODELTAP_STORE"])
    before = (tally(spool).accepted, [listed.rows for listed in list_collections(store).collections])
    assert of(examine(scored), "self-test")[0].level == OK
    assert (tally(spool).accepted, [listed.rows for listed in list_collections(store).collections]) == before
    assert [info.path.split("/")[0:2] for info in store.list("modeltap/doctor/")][-1] == ["modeltap", "doctor"]


def test_before_any_service_has_run_it_makes_no_spool_and_says_who_should(environment):
    report = examine(environment)
    assert report.healthy
    assert not os.path.exists(environment["MODELTAP_SPOOL"])
    assert of(report, "self-test")[0].level == OK
    assert report.next_step.startswith("start the service with the same user")


def test_only_looking_sends_nothing(environment):
    assert of(examine(environment, self_test=False), "self-test") == []


def test_a_store_of_another_user_is_not_made(environment, tmp_path):
    os.chown(tmp_path, 12345, -1)
    report = examine(environment)
    assert not os.path.exists(environment["MODELTAP_STORE"])
    assert "user 12345" in of(report, "store")[0].sentence


def test_a_store_that_cannot_be_written_is_a_problem_and_the_next_step(environment, tmp_path):
    Path(tmp_path / "store").write_text("a file where a folder should be")
    report = examine(environment, self_test=False)
    assert not report.healthy
    assert of(report, "store")[0].level == PROBLEM
    assert report.next_step == of(report, "store")[0].remedy


def test_a_store_that_this_version_does_not_have_is_a_problem(environment):
    report = examine({**environment, "MODELTAP_STORE": "gs://bucket"})
    assert of(report, "store")[0].level == PROBLEM
    assert "comes with a later one" in of(report, "store")[0].sentence


def test_collecting_that_is_off_is_a_problem_but_the_road_is_tried_all_the_same(environment):
    report = examine({**environment, "MODELTAP_COLLECT_MODEL_DATA": "false"})
    assert not report.healthy
    assert of(report, "switch")[0].level == PROBLEM
    assert of(report, "self-test")[0].level == OK


def test_nobody_who_ships_is_a_problem(scored):
    none = {**scored, "MODELTAP_SHIPPER": "none"}
    report = examine(none, self_test=False)
    (agent, *_) = of(report, "agent")
    assert agent.level == PROBLEM
    assert "modeltap agent --spool" in agent.remedy


def test_every_setting_is_shown_with_where_it_comes_from(environment):
    shown = {setting.name: setting for setting in examine(environment, self_test=False).settings}
    assert (shown["store"].value, shown["store"].source) == (environment["MODELTAP_STORE"], "MODELTAP_STORE")
    assert (shown["workspace"].value, shown["workspace"].source) == ("default/default/default", "default")


def test_a_connection_string_is_shown_without_its_key():
    secret = "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"
    report = examine({"AML_MODEL_DC_STORAGE": secret}, self_test=False)
    assert "c2VjcmV0" not in json.dumps([report.settings, report.findings])
    assert "https://me.blob.core.windows.net" in json.dumps(report.settings)


def test_reasons_are_told_with_remedies(environment):
    spool = SpoolDirectory.open(environment["MODELTAP_SPOOL"], environment["MODELTAP_STORE"])
    counters = {"accepted": 7, "rejected": {"spool_full": 3}, "dropped": {"strange": 2}, "off": 4, "sampled_out": 0}
    counters |= {"unpaired_rows": 5, "width_mismatch": 0}
    document = {"services": {"sub/rg/ws/shop": {"churn/1/inputs": counters}}}
    publish_document(os.path.join(spool.writers, "host-1-a-b.json"), document)
    found = list(writer_findings(spool))
    assert [finding.level for finding in found] == [OK, WARNING, WARNING, NOTE, NOTE]
    assert "MODELTAP_SPOOL_MAX_BYTES" in found[1].remedy
    assert "5 rows pair with no row of the inputs" in found[4].sentence


def test_a_backlog_is_told_with_its_age_and_turns_red(environment):
    settings = resolve(environment)
    spool = SpoolDirectory.open(settings.spool, settings.store)
    segment = Path(spool.segments, "host-1-a-b.0.seg")
    segment.write_bytes(b"x" * 10_000)
    publish_document(spool.status, {"segments": {segment.name: 4_000}, "last_error": "the store said no"})
    written = segment.stat().st_mtime
    fresh, late = (list(agent_findings(spool, settings, written + age)) for age in (10, STUCK_SECONDS + 10))
    assert [finding.sentence for finding in fresh if "6,000 bytes wait" in finding.sentence]
    assert fresh[-1].level == NOTE
    assert late[-1].level == PROBLEM
    assert "5 minutes" in late[-1].sentence
    assert any("the store said no" in finding.sentence for finding in late)
