"""Writers: how a service announces itself, and says how it is.

Every agent puts one document for each service that it ships for, and nobody else writes it::

    modeltap/writers/<sub>/<rg>/<ws>/<service>/<host>-<agent>.json
    {"format": 1, "workspace": [3], "service": ..., "host": ..., "agent": ..., "heartbeat": instant,
     "settings": {...}, "versions": {...}, "counters": {...}, "last_error": text or null}

Promises: no secret stands in it (the store's URL is the public one, errors are scrubbed); a damaged
document is passed over, it hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from modeltap.core.instants import instant_text, parse_instant
from modeltap.core.names import encode_part
from modeltap.core.settings import Settings
from modeltap.core.urls import public_url
from modeltap.services.documents import encode_document, read_document
from modeltap.services.scrub import without_secrets
from modeltap.stores.base import Info, Store

WRITERS_TREE = "modeltap/writers"


@dataclass(frozen=True)
class Writer:
    """One agent, for one service, at one instant.

    Attributes:
        workspace: subscription, resource group, workspace.
        service: whose rows it ships.
        host: where it runs.
        agent: a name that is its own on that host.
        heartbeat_us: when it said this, microseconds since 1970 UTC.
        settings: what is in force, by name.
        versions: of modeltap, Python and what else matters, by name.
        counters: rows by what happened to them.
        last_error: a sentence, or None.
    """

    workspace: tuple[str, str, str]
    service: str
    host: str
    agent: str
    heartbeat_us: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, Any] = field(default_factory=dict)
    last_error: str | None = None

    @property
    def path(self) -> str:
        """Where its document stands."""
        return f"{writers_prefix(self.workspace, self.service)}{encode_part(f'{self.host}-{self.agent}')}.json"

    def encoded(self) -> bytes:
        """The bytes of its document."""
        document = {item.name: getattr(self, item.name) for item in fields(self)}
        document["heartbeat"] = instant_text(document.pop("heartbeat_us"))
        document["settings"] = _scrubbed(self.settings)
        document["last_error"] = None if self.last_error is None else without_secrets(self.last_error)
        return encode_document(document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Writer:
        """Read a document back.

        Raises:
            KeyError, TypeError, ValueError: it is of another form.
        """
        subscription, resource_group, workspace = document["workspace"]
        error = document["last_error"]
        return cls(
            (str(subscription), str(resource_group), str(workspace)),
            str(document["service"]),
            str(document["host"]),
            str(document["agent"]),
            parse_instant(document["heartbeat"]),
            dict(document["settings"]),
            dict(document["versions"]),
            dict(document["counters"]),
            None if error is None else str(error),
        )


def effective_settings(settings: Settings) -> dict[str, Any]:
    """The settings in force as plain values, without secrets; ``sources`` says where each comes from."""
    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    values["store"] = public_url(settings.store)
    values["sources"] = dict(settings.sources)
    scrubbed: dict[str, Any] = _scrubbed(values)
    return scrubbed


def writers_prefix(workspace: tuple[str, str, str] | None = None, service: str | None = None) -> str:
    """The beginning of the paths of all writers, of a workspace's, or of one of its services'."""
    parts = (*(workspace or ()), *((service,) if workspace and service else ()))
    return "/".join((WRITERS_TREE, *(encode_part(part) for part in parts), ""))


def put_writer(store: Store, writer: Writer) -> Info:
    """Put a writer's document in place of its last one.

    Raises:
        StoreUnavailable, StoreDenied: the store does not take it; the next heartbeat comes soon.
    """
    return store.put(writer.path, writer.encoded())


def read_writers(
    store: Store, workspace: tuple[str, str, str] | None = None, service: str | None = None
) -> Iterator[Writer]:
    """Read all writers, or those of a workspace, or of one of its services, in path order.

    Args:
        store: where.
        workspace: subscription, resource group, workspace; None for all.
        service: only with a workspace; None for all of them.
    """
    for info in store.list(writers_prefix(workspace, service)):
        document = read_document(store, info.path)
        try:
            writer = Writer.from_document(document or {})
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        yield writer


def _scrubbed(value: Any) -> Any:
    """Plain values with every text scrubbed."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {str(name): _scrubbed(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item) for item in value]
    return value
