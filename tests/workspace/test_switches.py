"""What the settings say about collecting."""

from __future__ import annotations

import pytest

from modeltap.core.settings import resolve
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING
from modeltap.workspace.switches import switch_findings


def found(**environment: str):
    return list(switch_findings(resolve(environment), environment))


def switch(**environment: str):
    (finding,) = [one for one in found(**environment) if one.topic == "switch"]
    return finding


def test_without_settings_collecting_is_on():
    assert switch() == (OK, "switch", "collecting is on (default)", "")


@pytest.mark.parametrize("value", ["false", "", " yes ", "1"])
def test_the_original_switch_that_does_not_say_true_is_named(value):
    finding = switch(AML_MODEL_DC_STORAGE_ENABLED=value)
    assert finding.level == (PROBLEM if value.strip() else OK)
    if value.strip():
        assert "AML_MODEL_DC_STORAGE_ENABLED is set and does not say true" in finding.sentence


def test_the_newer_switch_counts_and_the_older_one_is_named():
    environment = {"AML_MODEL_DC_STORAGE_ENABLED": "no", "MODELTAP_COLLECT_MODEL_DATA": "true"}
    assert switch(**environment).level == OK
    assert any(
        one.level == NOTE and "MODELTAP_COLLECT_MODEL_DATA counts" in one.sentence for one in found(**environment)
    )


def test_what_turned_collecting_off_is_named():
    assert "MODELTAP_COLLECT_MODEL_DATA says so" in switch(MODELTAP_COLLECT_MODEL_DATA="off").sentence
    assert "MODELTAP_DISABLED" in switch(MODELTAP_DISABLED="true").sentence


def test_printing_in_place_of_storing_is_a_problem():
    findings = found(AML_MODEL_DC_DEBUG="true")
    assert any(one.level == PROBLEM and "none is stored" in one.sentence for one in findings)


def test_a_setting_that_cannot_be_used_is_a_warning():
    findings = found(MODELTAP_FLUSH_SECONDS="soon")
    assert any(one.level == WARNING and "MODELTAP_FLUSH_SECONDS='soon'" in one.sentence for one in findings)


@pytest.mark.parametrize(
    ("seconds", "said"), [("60", "1,440 writes"), ("1", "86,400 writes"), ("0", "a write of their own")]
)
def test_the_writes_of_a_day_follow_from_the_flush_interval(seconds, said):
    assert any(said in one.sentence for one in found(MODELTAP_FLUSH_SECONDS=seconds))
