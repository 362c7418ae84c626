"""``modeltap doctor``: why is it empty?

Looks at everything between ``collect()`` and the store in the order in which rows pass, and says what is
the case and what to do. Promises: changes nothing of the user's (it writes one small file and one row
below ``modeltap/doctor/``, beside the data); ends, whatever hangs; shows no secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from modeltap.core.settings import Settings, in_container, resolve
from modeltap.core.urls import LOCAL, local_path, public_url, store_kind
from modeltap.errors import SettingsError
from modeltap.spool.locks import is_locked
from modeltap.workspace.activity import agent_findings, heartbeat_findings, writer_findings
from modeltap.workspace.findings import NOTE, PROBLEM, WARNING, Finding
from modeltap.workspace.places import place_of
from modeltap.workspace.selftest import run_self_test
from modeltap.workspace.spoolcheck import neighbours, open_spool, place_findings
from modeltap.workspace.storecheck import open_findings, store_findings
from modeltap.workspace.switches import switch_findings

_NOT_SHOWN = ("sources", "problems")


class Shown(NamedTuple):
    """A setting as resolved, and the variable that it comes from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Report:
    """What an examination found."""

    settings: list[Shown]
    findings: list[Finding]

    @property
    def healthy(self) -> bool:
        """Whether rows arrive, as far as can be seen."""
        return not any(finding.level == PROBLEM for finding in self.findings)

    @property
    def next_step(self) -> str:
        """The one thing to do now."""
        for level in (PROBLEM, WARNING, NOTE):
            for finding in self.findings:
                if finding.level == level and finding.remedy:
                    return finding.remedy
        return "nothing is wrong: send requests, then look with `modeltap ls` and `modeltap head`"


def examine(environment: Mapping[str, str] | None = None, *, self_test: bool = True) -> Report:
    """Examine the road from ``collect()`` to the store.

    Args:
        environment: the variables of the service; None takes this process's.
        self_test: send a row of the doctor's own and read it back.
    """
    known = os.environ if environment is None else environment
    settings = resolve(known)
    return Report(_shown(settings), list(_findings(settings, known, self_test=self_test)))


def _findings(settings: Settings, environment: Mapping[str, str], *, self_test: bool) -> Iterator[Finding]:
    container = in_container(environment)
    yield from switch_findings(settings, environment)
    store, problems = open_findings(settings)
    yield from problems
    if store is not None:
        place = place_of(local_path(settings.store))
        yield from store_findings(store, settings, place, container=container)
    spool, findings = open_spool(settings)
    yield from findings
    agent_runs = spool is not None and is_locked(spool.agent_lock)
    yield from place_findings(settings, place_of(settings.spool), container=container, agent_runs=agent_runs)
    yield from neighbours(settings)
    if spool is not None:
        yield from writer_findings(spool)
        yield from agent_findings(spool, settings)
    if store is not None:
        yield from heartbeat_findings(store)
        if self_test:
            yield run_self_test(store, settings, has_spool=spool is not None)


def _shown(settings: Settings) -> list[Shown]:
    shown = []
    for field in fields(settings):
        if field.name in _NOT_SHOWN:
            continue
        value = getattr(settings, field.name)
        text = "/".join(value) if isinstance(value, tuple) else str(value)
        text = _public(text) if field.name == "store" else text
        shown.append(Shown(field.name, text, settings.sources.get(field.name, "default")))
    return shown


def _public(url: str) -> str:
    """A store's URL as far as it may be shown; one that cannot be read may hold anything."""
    try:
        kind = store_kind(url)
    except SettingsError:
        return "(its form is unknown)"
    return local_path(url) if kind == LOCAL else public_url(url)
