"""The whole error tree of modeltap.

::

    ModeltapError
    ├── SettingsError        a setting, name or argument cannot be used as it stands
    │   └── NameRefused      a part of a path that no store could hold
    ├── MissingExtra         a verb or class whose optional packages are not installed
    ├── SpoolError           the spool directory cannot be used
    │   ├── SpoolRefused     wrong owner, mode, kind, or another store's spool
    │   └── FormatTooNew     written by a newer modeltap; left untouched
    ├── FrameError           bytes that are not a frame of this segment (the reader resynchronises)
    └── StoreError           the store did not do what was asked
        ├── StoreUnavailable the answer is unknown or will change: ask again later
        ├── StoreDenied      credentials or rights: hold and alert, never set aside
        ├── Conflict         a condition failed: read again, then decide again
        └── StoreRefused     the store refuses this for ever: set aside, blocks nothing

Every message says operation, thing, cause, and what the user can do.
"""

from __future__ import annotations

__all__ = [
    "Conflict",
    "FormatTooNew",
    "FrameError",
    "MissingExtra",
    "ModeltapError",
    "NameRefused",
    "SettingsError",
    "SpoolError",
    "SpoolRefused",
    "StoreDenied",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
]


class ModeltapError(Exception):
    """The root of every error that modeltap raises."""


class SettingsError(ModeltapError):
    """A setting, name or argument cannot be used as it stands."""


class NameRefused(SettingsError):
    """A part of a path that no store could hold."""


class MissingExtra(ModeltapError):
    """A verb or class whose optional packages are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs packages that are not installed: pip install "modeltap[{extra}]"')


class SpoolError(ModeltapError):
    """The spool directory cannot be used."""


class SpoolRefused(SpoolError):
    """Wrong owner, mode or kind, or the spool of another store."""


class FormatTooNew(SpoolError):
    """Written by a newer modeltap; left untouched."""


class FrameError(ModeltapError):
    """Bytes that are not a frame of this segment."""


class StoreError(ModeltapError):
    """The store did not do what was asked."""


class StoreUnavailable(StoreError):
    """The answer is unknown or will change: ask again later."""


class StoreDenied(StoreError):
    """Credentials or rights: hold and alert, never set aside."""


class Conflict(StoreError):
    """A condition failed: read again, then decide again."""


class StoreRefused(StoreError):
    """The store refuses this for ever: set aside, blocks nothing."""
