"""The catalog: what stands in the data files, so that nobody must read them to know.

``modeltap/catalog/<sub>/<rg>/<ws>/<service>/<model>/<version>/<designation>/<yyyy-mm-dd>/<writer>.json``::

    {"format": 1, "files": {"<path of the data file>":
        {"schema": 16 hex, "rows": n, "bytes": n, "first_row": instant, "last_row": instant}}}

Each writer tells what it has shipped itself, in a document that nobody else writes; the truth about a
file is the sum over its writers. Bytes are those of rows, without the header line: where they fall short of
the file's size, a writer died before it could tell, or others wrote too.

Promises: advisory. Losing, doubling or damaging a document changes no row and stops nobody; it can be made
again from the data files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from modeltap.core.instants import instant_text, parse_instant
from modeltap.core.key import CollectionKey, key_of_path
from modeltap.core.names import decode_part, encode_part
from modeltap.errors import SettingsError
from modeltap.services.documents import encode_document, read_document
from modeltap.stores.base import Info, Store

CATALOG_TREE = "modeltap/catalog"
KEPT_DAYS = 1_000
"""Documents that a writer keeps in memory; older ones are read again if rows come for them."""


@dataclass(frozen=True)
class FileFacts:
    """What rows stand in one data file, as far as somebody wrote them.

    Attributes:
        schema: 16 hex digits.
        rows: how many.
        size_bytes: their bytes, without the header line.
        first_us: instant of the earliest row, microseconds since 1970 UTC.
        last_us: instant of the latest row.
    """

    schema: str
    rows: int
    size_bytes: int
    first_us: int
    last_us: int

    def plus(self, other: FileFacts) -> FileFacts:
        """The facts of both together."""
        return FileFacts(
            other.schema or self.schema,
            self.rows + other.rows,
            self.size_bytes + other.size_bytes,
            min(self.first_us, other.first_us),
            max(self.last_us, other.last_us),
        )

    def as_document(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "schema": self.schema,
            "rows": self.rows,
            "bytes": self.size_bytes,
            "first_row": instant_text(self.first_us),
            "last_row": instant_text(self.last_us),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FileFacts:
        """Read plain values back.

        Raises:
            KeyError, TypeError, ValueError: they are of another form.
        """
        instants = (parse_instant(document["first_row"]), parse_instant(document["last_row"]))
        return cls(str(document["schema"]), int(document["rows"]), int(document["bytes"]), *instants)


@dataclass
class DayCatalog:
    """The facts of one collection's files of one day, by path. Pure: it adds up, and turns into bytes and back."""

    files: dict[str, FileFacts] = field(default_factory=dict)

    def add(self, path: str, facts: FileFacts) -> None:
        """Add rows to a file."""
        known = self.files.get(path)
        self.files[path] = known.plus(facts) if known else facts

    def merge(self, other: DayCatalog) -> None:
        """Add all that another writer tells."""
        for path, facts in other.files.items():
            self.add(path, facts)

    def encoded(self) -> bytes:
        """The bytes of the document."""
        return encode_document({"files": {path: facts.as_document() for path, facts in sorted(self.files.items())}})

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> DayCatalog:
        """Read a document; what is damaged or missing tells nothing."""
        try:
            files = dict(document or {})["files"]
            return cls({str(path): FileFacts.from_document(facts) for path, facts in files.items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()


class CatalogWriter:
    """What one writer has shipped: adds up in memory, and puts the documents that have changed.

    Owned by one thread of one agent.
    """

    def __init__(self, store: Store, writer: str) -> None:
        """Begin without reading anything.

        Args:
            store: where.
            writer: a name that nobody else uses and that stays over restarts: host and spool.
        """
        self._store = store
        self._writer = writer
        self._days: dict[str, DayCatalog] = {}
        self._unread: set[str] = set()
        self._changed: set[str] = set()

    def add(self, path: str, facts: FileFacts) -> None:
        """Count rows that were shipped to a data file.

        Raises:
            SettingsError: the path is not one of a data file.
        """
        place = key_of_path(path)
        if place is None:
            raise SettingsError(f"cataloguing {path}: it is not the path of a data file; pass one that a key made")
        key, day, _ = place
        document = catalog_path(key, day, self._writer)
        if document not in self._days:
            self._days[document] = DayCatalog()
            self._unread.add(document)
        self._days[document].add(path, facts)
        self._changed.add(document)

    def put_changed(self) -> int:
        """Put every document that has changed since it was put; gives their number. A failed one stays changed.

        Raises:
            StoreUnavailable, StoreDenied: the store does not take one; call again later.
        """
        put = 0
        for path in sorted(self._changed):
            if path in self._unread:
                self._days[path].merge(_read(self._store, path))
                self._unread.discard(path)
            self._store.put(path, self._days[path].encoded())
            self._changed.discard(path)
            put += 1
        self._forget()
        return put

    def _forget(self) -> None:
        """Keep memory bounded: a day that comes again is read again."""
        for path in list(self._days)[: max(0, len(self._days) - KEPT_DAYS)]:
            del self._days[path]


def catalog_path(key: CollectionKey, day: date, writer: str) -> str:
    """Where a writer tells of one collection's day; its losses stand in the same document."""
    return f"{CATALOG_TREE}/{key.folder}/{day:%Y-%m-%d}/{encode_part(writer)}.json"


def read_day(store: Store, key: CollectionKey, day: date) -> DayCatalog:
    """Read what all writers tell of one collection's day."""
    return _merged(store, store.list(f"{CATALOG_TREE}/{key.folder}/{day:%Y-%m-%d}/"))


def read_catalog(store: Store, parts: Sequence[str] = ()) -> Iterator[tuple[CollectionKey, date, DayCatalog]]:
    """Read what all writers tell, collection by collection and day by day, in path order.

    Args:
        store: where.
        parts: the first parts of the keys that are asked for: subscription, resource group ...; none for all.
    """
    prefix = "/".join((CATALOG_TREE, *(encode_part(part) for part in parts), ""))
    for folder, infos in groupby(store.list(prefix), lambda info: info.path.rpartition("/")[0]):
        place = _place_of(folder)
        if place is not None:
            yield *place, _merged(store, infos)


def _place_of(folder: str) -> tuple[CollectionKey, date] | None:
    """Read collection and day back from a folder of the catalog; None for any other."""
    *parts, day = folder.removeprefix(CATALOG_TREE + "/").split("/")
    if len(parts) != 7:
        return None
    try:
        return CollectionKey(*(decode_part(part) for part in parts)), date.fromisoformat(day)
    except ValueError:
        return None


def _merged(store: Store, infos: Iterator[Info]) -> DayCatalog:
    catalog = DayCatalog()
    for info in infos:
        catalog.merge(_read(store, info.path))
    return catalog


def _read(store: Store, path: str) -> DayCatalog:
    return DayCatalog.from_document(read_document(store, path))
