"""Store URLs as text: one form for each store, without secrets, and nothing opened."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from modeltap.errors import SettingsError

LOCAL, AZURE, S3, GCS = "file", "azure", "s3", "gs"
_AZURE_SCHEMES = frozenset({"az", "azure", "abfs", "abfss", "wasb", "wasbs"})
_CONNECTION_STRING = re.compile(r"(^|;)\s*(AccountName|BlobEndpoint|UseDevelopmentStorage)\s*=", re.IGNORECASE)


def store_kind(url: str) -> str:
    """Which backend a store URL, path or connection string names: file, azure, s3 or gs.

    Raises:
        SettingsError: it names none of them.
    """
    if _CONNECTION_STRING.search(url):
        return AZURE
    scheme = urlsplit(url).scheme.lower() if "://" in url else LOCAL
    if scheme == LOCAL:
        return LOCAL
    if scheme in _AZURE_SCHEMES or (scheme in ("http", "https") and ".blob." in url):
        return AZURE
    if scheme in (S3, GCS):
        return scheme
    raise SettingsError(
        f"reading the store {public_url(url)!r}: its scheme {scheme!r} is unknown; write a path, file://, "
        "az://, abfss://, https://<account>.blob.core.windows.net, a connection string, s3:// or gs://"
    )


def local_path(url: str) -> str:
    """The absolute folder of a local store."""
    path = unquote(urlsplit(url).path) if url.lower().startswith("file://") else url
    return os.path.abspath(os.path.expanduser(path))


def public_url(url: str) -> str:
    """The same store without keys, signatures or passwords: for logs, hashes and people."""
    if _CONNECTION_STRING.search(url):
        fields = dict(part.split("=", 1) for part in url.split(";") if "=" in part)
        known = {name.strip().lower(): value for name, value in fields.items()}
        account = known.get("accountname", "devstoreaccount1" if "usedevelopmentstorage" in known else "")
        suffix = known.get("endpointsuffix", "core.windows.net")
        return public_url(known.get("blobendpoint") or f"https://{account}.blob.{suffix}")
    if "://" not in url:
        return f"file://{local_path(url)}"
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme.lower() in ("abfs", "abfss", "wasb", "wasbs"):
        host = parts.netloc  # <container>@<account>: no secret stands there
    return f"{parts.scheme.lower()}://{host}{parts.path}".rstrip("/")


def store_hash(url: str, uid: int) -> str:
    """16 hex digits that name (store without secrets, user): the identity of a spool."""
    return sha256(f"{public_url(url)}\n{uid}".encode()).hexdigest()[:16]
