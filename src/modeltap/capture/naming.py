"""Which collection a collector's arguments and the environment name."""

from __future__ import annotations

from typing import Any

from modeltap.capture.pairing import bounded_id
from modeltap.core.key import CollectionKey, workspace_parts
from modeltap.core.settings import Settings
from modeltap.errors import ModeltapError

DEFAULT = "default"
"""The original's default of every name: the environment's value takes its place."""


def collection_key(settings: Settings, *given: Any) -> tuple[CollectionKey, str]:
    """The key of a collector, and what is wrong with it: empty, or a sentence for the log.

    Args:
        settings: where the environment's values are.
        given: model, designation, workspace, service and version as the collector was given them.
    """
    texts = [bounded_id(DEFAULT if part is None else part) or DEFAULT for part in given]
    model, designation, workspace, service, version = texts
    problem = ""
    if any(type(part) is str and part not in (text, "") for part, text in zip(given, texts, strict=True)):
        problem = "naming a collection: a name is too long, or no text that UTF-8 can hold; choose another"
    try:
        parts = workspace_parts(workspace)
    except ModeltapError as error:
        parts, problem = settings.workspace, str(error)
    if parts == (DEFAULT,) * 3:
        parts = settings.workspace
    key = CollectionKey(
        *parts,
        settings.service if service == DEFAULT else service,
        model,
        settings.model_version if version == DEFAULT else version,
        designation,
    )
    try:
        key.folder  # noqa: B018  computed once here, so that a name no path can hold is found at once
    except ModeltapError as error:
        problem = str(error)
    return key, problem
