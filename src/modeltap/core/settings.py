"""The environment, resolved once: every setting with the variable that it came from.

A value that cannot be used never stops a scoring process: the default stands in, and the sentence
that says so is kept in ``problems`` for the log and ``modeltap doctor``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from modeltap.core import urls
from modeltap.core.key import workspace_parts
from modeltap.errors import SettingsError

T = TypeVar("T")

GIB = 1 << 30
SHIPPERS = ("process", "thread", "none")
DURABILITIES = ("process", "memory")
"""``interval`` and ``fsync`` (power loss) are not built yet: named, ``process`` stands in and the log says so."""
UNKNOWN_STATES = ("collect", "drop")
_FLUSH_SECONDS = {urls.LOCAL: 1.0, urls.AZURE: 10.0, urls.S3: 60.0, urls.GCS: 60.0}
"""A write to disk is cheap, a write to an object store is billed."""
CONTAINER_EXIT_FLUSH_SECONDS = 20.0
"""Less than the 30 s that container runtimes give between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class Settings:
    """What the environment says. ``sources`` names the variable behind each field, or ``default``."""

    store: str
    workspace: tuple[str, str, str]
    service: str
    model_version: str
    collect: bool
    disabled: bool
    debug: bool
    boundary_minutes: int
    spool: str
    spool_group: str
    spool_max_bytes: int
    shipper: str
    flush_seconds: float
    exit_flush_seconds: float
    unknown_state: str
    durability: str
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class _Reader:
    """Reads variables one by one and remembers sources and problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.sources: dict[str, str] = {}
        self.problems: list[str] = []

    def text(self, name: str, variables: tuple[str, ...], default: str) -> str:
        for variable in variables:
            value = self.environment.get(variable, "").strip()
            if value:
                self.sources[name] = variable
                return value
        self.sources[name] = "default"
        return default

    def parsed(self, name: str, variable: str, default: T, parse: Callable[[str], T]) -> T:
        text = self.text(name, (variable,), "")
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, SettingsError):
            self.problems.append(f"{variable}={text!r} cannot be used; {default!r} stands in")
            self.sources[name] = "default"
            return default

    def choice(self, name: str, variable: str, default: str, choices: tuple[str, ...]) -> str:
        return self.parsed(name, variable, default, lambda text: choices[choices.index(text.lower())])


def resolve(environment: Mapping[str, str] | None = None) -> Settings:
    """Resolve all settings from an environment (default: this process's)."""
    read = _Reader(os.environ if environment is None else environment)
    store = _store(read)
    shipper = read.choice("shipper", "MODELTAP_SHIPPER", "process", SHIPPERS)
    boundary = read.text("boundary_minutes", ("AML_MODEL_DC_BOUNDARY",), "")
    return Settings(
        store=store,
        workspace=read.parsed("workspace", "MODELTAP_WORKSPACE", ("default",) * 3, workspace_parts),
        service=read.text("service", ("MODELTAP_SERVICE", "SERVICE_NAME", "OTEL_SERVICE_NAME", "K_SERVICE"), "default"),
        model_version=read.text("model_version", ("MODELTAP_MODEL_VERSION",), "default"),
        collect=_collect(read),
        disabled=read.parsed("disabled", "MODELTAP_DISABLED", False, as_bool),
        debug=read.text("debug", ("AML_MODEL_DC_DEBUG",), "").lower() == "true",
        boundary_minutes=60 if boundary.lower() == "hour" else 1440,
        spool=_spool(read),
        spool_group=read.text("spool_group", ("MODELTAP_SPOOL_GROUP",), ""),
        spool_max_bytes=read.parsed("spool_max_bytes", "MODELTAP_SPOOL_MAX_BYTES", GIB, as_bytes),
        shipper=shipper,
        flush_seconds=read.parsed(
            "flush_seconds", "MODELTAP_FLUSH_SECONDS", _FLUSH_SECONDS.get(_kind(store), 1.0), as_seconds
        ),
        exit_flush_seconds=read.parsed(
            "exit_flush_seconds", "MODELTAP_EXIT_FLUSH_SECONDS", _exit_flush_seconds(read, shipper), as_seconds
        ),
        unknown_state=read.choice("unknown_state", "MODELTAP_UNKNOWN_STATE", "collect", UNKNOWN_STATES),
        durability=read.choice("durability", "MODELTAP_DURABILITY", "process", DURABILITIES),
        sources=read.sources,
        problems=tuple(read.problems),
    )


def as_bool(text: str) -> bool:
    """``true`` / ``1`` / ``yes`` / ``on`` and their opposites."""
    if text.lower() in ("true", "1", "yes", "on"):
        return True
    if text.lower() in ("false", "0", "no", "off"):
        return False
    raise ValueError(text)


def as_seconds(text: str) -> float:
    """A finite number of seconds, zero or more."""
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise ValueError(text)
    return seconds


def as_bytes(text: str) -> int:
    """A number of bytes: ``1048576``, ``512MiB``, ``1GiB``, ``10MB``."""
    units = {"kib": 1 << 10, "mib": 1 << 20, "gib": GIB, "kb": 10**3, "mb": 10**6, "gb": 10**9, "b": 1}
    lowered = text.lower().replace("_", "").strip()
    for suffix, factor in units.items():
        if lowered.endswith(suffix):
            lowered, scale = lowered.removesuffix(suffix).strip(), factor
            break
    else:
        scale = 1
    amount = float(lowered) * scale
    if not 1 <= amount < 1 << 62:
        raise ValueError(text)
    return int(amount)


def _store(read: _Reader) -> str:
    home = read.environment.get("XDG_DATA_HOME") or os.path.join(_home(read), ".local", "share")
    text = read.text("store", ("MODELTAP_STORE", "AML_MODEL_DC_STORAGE"), os.path.join(home, "modeltap"))
    try:
        return urls.local_path(text) if urls.store_kind(text) == urls.LOCAL else text
    except SettingsError as error:
        read.problems.append(f"{error}; until then rows wait in the spool")  # no other place is what the user meant
        return text


def _kind(store: str) -> str:
    try:
        return urls.store_kind(store)
    except SettingsError:
        return "unknown"


def _collect(read: _Reader) -> bool:
    original = read.environment.get("AML_MODEL_DC_STORAGE_ENABLED", "").strip()
    if original and not read.environment.get("MODELTAP_COLLECT_MODEL_DATA", "").strip():
        read.sources["collect"] = "AML_MODEL_DC_STORAGE_ENABLED"
        return original.lower() == "true"
    return read.parsed("collect", "MODELTAP_COLLECT_MODEL_DATA", True, as_bool)


def _spool(read: _Reader) -> str:
    given = read.text("spool", ("MODELTAP_SPOOL", "STATE_DIRECTORY"), "")
    if given:
        # systemd gives a list of state directories, separated by colons
        first = given.split(":")[0] if read.sources["spool"] == "STATE_DIRECTORY" else given
        return os.path.abspath(os.path.expanduser(first))
    state = read.environment.get("XDG_STATE_HOME") or os.path.join(_home(read), ".local", "state")
    if os.path.isabs(state) and _can_hold(state):
        return os.path.join(state, "modeltap")
    return os.path.join("/var/tmp", f"modeltap-{os.getuid()}")  # private by mode, checked when opened


def _can_hold(folder: str) -> bool:
    """Whether this process may make an absolute folder, or entries in it when it is there."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _home(read: _Reader) -> str:
    return read.environment.get("HOME") or os.path.expanduser("~")


def _exit_flush_seconds(read: _Reader, shipper: str) -> float:
    spool_outlives = bool(read.environment.get("MODELTAP_SPOOL"))
    if shipper == "thread" or (in_container(read.environment) and not spool_outlives):
        return CONTAINER_EXIT_FLUSH_SECONDS
    return 0.0


def in_container(environment: Mapping[str, str]) -> bool:
    """Whether this process's files and children end with a container."""
    return "KUBERNETES_SERVICE_HOST" in environment or any(
        os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv")
    )
