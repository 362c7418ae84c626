"""Store URLs as text: one form for each store, without secrets, and nothing opened."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from urllib.parse import unquote

from modeltap.errors import SettingsError

LOCAL, AZURE, S3, GCS = "file", "azure", "s3", "gs"
_WITH_CONTAINER = frozenset({"abfs", "abfss", "wasb", "wasbs"})
_AZURE_SCHEMES = _WITH_CONTAINER | {"az", "azure"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_CONNECTION_STRING = re.compile(
    r"(^|;)\s*(AccountName|AccountKey|SharedAccessSignature|BlobEndpoint|DefaultEndpointsProtocol|"
    r"UseDevelopmentStorage)\s*=",
    re.IGNORECASE,
)


def store_kind(url: str) -> str:
    """Which backend a store URL, path or connection string names: file, azure, s3 or gs.

    Raises:
        SettingsError: it names none of them.
    """
    if _CONNECTION_STRING.search(url):
        return AZURE
    scheme, rest = _split(url)
    if scheme in (LOCAL, S3, GCS):
        return scheme
    if scheme in _AZURE_SCHEMES or (scheme in ("http", "https") and ".blob." in _place(scheme, rest)):
        return AZURE
    raise SettingsError(
        f"reading the store {public_url(url)!r}: its scheme {scheme!r} is unknown; write a path, file://, "
        "az://, abfss://, https://<account>.blob.core.windows.net, a connection string, s3:// or gs://"
    )


def local_path(url: str) -> str:
    """The absolute folder of a local store."""
    path = url
    if url.lower().startswith("file://"):
        path = unquote("/" + _cut(url[len("file://") :]).partition("/")[2])
    return os.path.abspath(os.path.expanduser(path))


def public_url(url: str) -> str:
    """The same store without keys, signatures or passwords: for logs, hashes and people."""
    if _CONNECTION_STRING.search(url):
        url = _endpoint(url)
    scheme, rest = _split(url)
    if scheme == LOCAL:
        return f"file://{local_path(url)}"
    return f"{scheme}://{_place(scheme, rest).rstrip('/')}"


def store_hash(url: str, uid: int) -> str:
    """16 hex digits that name (store without secrets, user): the identity of a spool."""
    return sha256(f"{public_url(url)}\n{uid}".encode()).hexdigest()[:16]


def _split(url: str) -> tuple[str, str]:
    """The scheme in lower case, and what follows it; a path has the scheme of a local store."""
    found = _SCHEME.match(url)
    return (found[1].lower(), found[2]) if found else (LOCAL, url)


def _place(scheme: str, rest: str) -> str:
    """Host and path without the user, the password and the query."""
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2] if ":" in authority else ""
    if "@" not in authority and "@" in path and port and not port.isdigit():
        # A secret key with a slash in it: all of it stands before the last @.
        authority, slash, path = rest.rpartition("@")[2].partition("/")
    user, at, host = authority.rpartition("@")
    container = user.partition(":")[0] + at if scheme in _WITH_CONTAINER else ""  # <container>@<account>
    return _cut(f"{container}{host}{slash}{path}")


def _cut(text: str) -> str:
    """Without query and fragment."""
    return re.split("[?#]", text, maxsplit=1)[0]


def _endpoint(connection_string: str) -> str:
    """The URL of the account that a connection string names."""
    fields = [part.partition("=") for part in connection_string.split(";")]
    known = {name.strip().lower(): value.strip() for name, _, value in fields}
    account = known.get("accountname") or ("devstoreaccount1" if "usedevelopmentstorage" in known else "")
    endpoint = known.get("blobendpoint") or f"{account}.blob.{known.get('endpointsuffix') or 'core.windows.net'}"
    return endpoint if _SCHEME.match(endpoint) else f"https://{endpoint}"
