"""The one door to every backend: a URL becomes a store. Only this module knows which backends there are."""

from __future__ import annotations

from modeltap.core.urls import AZURE, GCS, LOCAL, S3, local_path, public_url, store_kind
from modeltap.errors import SettingsError
from modeltap.stores.base import Store
from modeltap.stores.local import LocalStore

_NAMES = {AZURE: "Azure Blob Storage", S3: "S3", GCS: "Google Cloud Storage"}


def open_store(url: str) -> Store:
    """Open the store that a URL, path or connection string names; nothing is read or made yet.

    Args:
        url: any form that ``MODELTAP_STORE`` takes.

    Raises:
        SettingsError: its form is unknown, or this version has no backend for it. Rows that are already in
            a spool wait there, they are not lost.
    """
    kind = store_kind(url)
    if kind == LOCAL:
        return LocalStore(local_path(url))
    raise SettingsError(
        f"opening the store {public_url(url)}: this version ships to folders; {_NAMES[kind]} comes with a later one. "
        "Set MODELTAP_STORE to a path, or upgrade modeltap"
    )
