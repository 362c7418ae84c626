"""The table of aliases: which names of the original's packages stand for what in modeltap.

``ALIASES`` win over installed packages. ``STAND_INS`` are used only where nothing of that name is
installed: a scoring file that asks azureml-core for no more than the model's folder runs without it.
A name that has names below it is a package.
"""

from __future__ import annotations

from collections.abc import Mapping

Face = Mapping[str, str]
"""Attribute of the alias -> module of modeltap that holds it."""

_COLLECTOR: Face = {"ModelDataCollector": "modeltap.capture.collector"}
_SECOND_COLLECTOR: Face = {"Collector": "modeltap.compat.collector"}
_CONTEXT: Face = dict.fromkeys(
    ("BasicCorrelationContext", "CorrelationContext", "get_context"), "modeltap.compat.context"
)
_MODEL: Face = {"Model": "modeltap.compat.model"}

ALIASES: Mapping[str, Face] = {
    "azureml.monitoring": _COLLECTOR,
    "azureml.monitoring.modeldatacollector": _COLLECTOR,
    "azureml.ai.monitoring": _SECOND_COLLECTOR,
    "azureml.ai.monitoring.collector": _SECOND_COLLECTOR,
    "azureml.ai.monitoring.context": _CONTEXT,
    "azureml.ai.monitoring.context.context": _CONTEXT,
}

STAND_INS: Mapping[str, Face] = {
    "azureml": {},
    "azureml.ai": {},
    "azureml.core": _MODEL,
    "azureml.core.model": _MODEL,
}


def roots() -> tuple[str, ...]:
    """The aliases that have no alias above them."""
    return tuple(name for name in ALIASES if name.rpartition(".")[0] not in ALIASES)


def is_package(name: str) -> bool:
    """Whether some alias or stand-in stands below this one."""
    return any(other.startswith(f"{name}.") for other in (*ALIASES, *STAND_INS))


def face_of(name: str) -> Face:
    """The attributes of an alias or stand-in."""
    return ALIASES[name] if name in ALIASES else STAND_INS[name]
