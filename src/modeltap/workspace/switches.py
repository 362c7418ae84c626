"""What the settings say about collecting: on or off and by which variable, and the traps of older ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modeltap.core.settings import Settings
from modeltap.workspace.findings import NOTE, OK, PROBLEM, WARNING, Finding

_HONOURED = {
    "AML_MODEL_DC_STORAGE": "MODELTAP_STORE",
    "AML_MODEL_DC_STORAGE_ENABLED": "MODELTAP_COLLECT_MODEL_DATA",
}
SECONDS_PER_DAY = 86_400


def switch_findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether rows are collected at all, and every setting that could not be used."""
    for problem in settings.problems:
        yield Finding(WARNING, "settings", problem, "correct the variable, or unset it")
    yield _switch(settings)
    if settings.debug:
        yield Finding(
            PROBLEM, "switch", "AML_MODEL_DC_DEBUG=true: rows are printed, none is stored", "unset AML_MODEL_DC_DEBUG"
        )
    for older, newer in _HONOURED.items():
        if environment.get(older) and environment.get(newer):
            yield Finding(NOTE, "settings", f"{older} is set too, but {newer} counts", f"unset {older}")
    yield _writes(settings)


def _switch(settings: Settings) -> Finding:
    source = settings.sources.get("collect", "default")
    if settings.disabled:
        return Finding(PROBLEM, "switch", "modeltap is off: MODELTAP_DISABLED is true", "unset MODELTAP_DISABLED")
    if settings.collect:
        return Finding(OK, "switch", f"collecting is on ({source})")
    if source == "AML_MODEL_DC_STORAGE_ENABLED":
        return Finding(
            PROBLEM,
            "switch",
            "collecting is off: AML_MODEL_DC_STORAGE_ENABLED is set and does not say true",
            "set it to true, or set MODELTAP_COLLECT_MODEL_DATA=true",
        )
    return Finding(PROBLEM, "switch", f"collecting is off: {source} says so", f"set {source}=true")


def _writes(settings: Settings) -> Finding:
    if not settings.flush_seconds:
        return Finding(NOTE, "settings", "MODELTAP_FLUSH_SECONDS is 0: every few rows are a write of their own")
    writes = round(SECONDS_PER_DAY / settings.flush_seconds)
    return Finding(
        OK,
        "settings",
        f"rows wait {settings.flush_seconds:g} s at most to be shipped together: up to {writes:,} writes a day "
        "for each designation that is busy all day",
    )
