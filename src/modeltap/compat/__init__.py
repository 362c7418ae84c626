"""Faces of the original: its module names, its second-generation collector, hosts of scoring files.

``modeltap.compat.install()`` makes ``azureml.monitoring`` and ``azureml.ai.monitoring`` resolve to
modeltap in this process. Standard library only; nothing is imported before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeltap.compat.imports import install

if TYPE_CHECKING:
    from modeltap.compat.collector import Collector
    from modeltap.compat.context import BasicCorrelationContext, CorrelationContext

__all__ = ["BasicCorrelationContext", "Collector", "CorrelationContext", "install"]

_HOMES = {
    "BasicCorrelationContext": "modeltap.compat.context",
    "Collector": "modeltap.compat.collector",
    "CorrelationContext": "modeltap.compat.context",
}


def __getattr__(name: str) -> object:
    """Import the collector only when it is asked for: ``install`` runs in every Python child."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
