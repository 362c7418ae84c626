"""The effects of the shipper core: every touch of the world that it asks for, one value each.

The core (``modeltap.shipping.shipper``) is a generator that yields these values. Whoever runs it performs
them and sends back the result, or throws the error into the generator. Nothing else leads out of the core,
so a driver of virtual disks, stores and clocks runs the very code that ships real rows, and a crash is
nothing but a generator that is not continued.

======================  ==========================================  ===============================
effect                  result                                      errors
======================  ==========================================  ===============================
disk (as in ``modeltap.spool.filesystem``)                          ``OSError``
ListFolder              dict of name and size in bytes
ReadFile                bytes
OpenFile                handle
WriteFile               number of bytes written, may be fewer
SyncFile, CloseFile, RenameFile, UnlinkFile   None
IsLocked                whether a process holds the file's lock
----------------------  ------------------------------------------  -------------------------------
store (as in ``modeltap.stores.base``)                              ``StoreError``
HeadBlob                Info or None
ReadBlob                bytes
ListBlobs               list of Info
PutBlob, CreateBlob, AppendBlob   Info
HoldsBatch              whether a batch is committed
----------------------  ------------------------------------------  -------------------------------
the rest                                                            none
Now                     seconds on a clock that never goes back
Draw                    random bytes
Sleep                   None, after that time or earlier
ReadOrders              Orders: what the world wants
Report                  None; tells what is shipped
======================  ==========================================  ===============================
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListFolder:
    """Name and size of each plain file in a folder."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Bytes of a file, fewer at its end; a length of -1 reads all."""

    path: str
    start: int = 0
    length: int = -1


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Open a file for appending, made if missing."""

    path: str
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Append bytes in one call."""

    handle: int
    data: bytes | memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class SyncFile:
    """Make a file, or the names in a folder, survive a power loss."""

    path: str


@dataclass(frozen=True, slots=True)
class CloseFile:
    """Close a handle."""

    handle: int


@dataclass(frozen=True, slots=True)
class RenameFile:
    """Put a file in another's place in one step."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class UnlinkFile:
    """Remove a file; a missing one is no error."""

    path: str


@dataclass(frozen=True, slots=True)
class IsLocked:
    """Whether a living process holds a file's lock."""

    path: str


@dataclass(frozen=True, slots=True)
class HeadBlob:
    """What stands at a path of the store."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadBlob:
    """A whole document of the store."""

    path: str


@dataclass(frozen=True, slots=True)
class ListBlobs:
    """All files of the store below a prefix."""

    prefix: str


@dataclass(frozen=True, slots=True)
class PutBlob:
    """Put a document in place: of the one with that ETag, of none with an empty one."""

    path: str
    data: bytes = field(repr=False)
    if_match: str


@dataclass(frozen=True, slots=True)
class CreateBlob:
    """Make a data file that holds its header line."""

    path: str
    header: bytes
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AppendBlob:
    """Commit a batch at a position."""

    path: str
    data: bytes = field(repr=False)
    position: int
    batch_id: str


@dataclass(frozen=True, slots=True)
class HoldsBatch:
    """Ask "is it in?"."""

    path: str
    position: int
    length: int
    sha256: str
    batch_id: str


@dataclass(frozen=True, slots=True)
class Now:
    """Seconds on a clock that never goes back."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Random bytes."""

    count: int


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; orders may end it early."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadOrders:
    """Ask what the world wants."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the world wants, as of now.

    Attributes:
        flush: a mark that changes with each request to ship at once.
        drain: ship everything without waiting, then end.
        end: end now; what is not shipped stays in the spool.
    """

    flush: object = None
    drain: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A batch that is in the store, for the catalog.

    Attributes:
        path: of the data file.
        schema: id of the file's schema.
        rows: in the batch.
        length: its bytes.
        first_us: instant of the earliest row, microseconds since 1970 UTC.
        last_us: instant of the latest row.
    """

    path: str
    schema: str
    rows: int
    length: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where shipping stands.

    Attributes:
        segments: position in each segment below which no accepted row waits (a torn tail counts as passed).
        settled: position in each segment below which every frame is shipped or set aside, by the ledger.
        shipped: rows shipped, by writer stem.
        quarantined: rows set aside, by writer stem.
        dropped: rows given up, by reason.
        damaged: bytes that are no frames, by cause.
        shipped_rows: rows shipped since the ledger began.
        backlog_bytes: of segments, not shipped yet.
        oldest_seconds: how long the oldest frame or batch that is at hand has waited.
        open_batches: on their way.
        living: segments that a living process writes and that can be read.
        idle: nothing is read, waiting or on its way.
        too_new: segments that a newer modeltap wrote; they are left alone.
        last_error: in one sentence; None since the last success.
        commits: batches that came in since the last report.
        given_up: rows given up since the last report: (collection key as tree and parts, reason, rows).
    """

    segments: Mapping[str, int]
    settled: Mapping[str, int]
    shipped: Mapping[str, int]
    quarantined: Mapping[str, int]
    dropped: Mapping[str, int]
    damaged: Mapping[str, int]
    shipped_rows: int
    backlog_bytes: int
    oldest_seconds: float
    open_batches: int
    living: int
    idle: bool
    too_new: int
    last_error: str | None
    commits: tuple[Commit, ...]
    given_up: tuple[tuple[tuple[str, ...], str, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Tell where shipping stands."""

    progress: Progress


DiskEffect: TypeAlias = (
    ListFolder | ReadFile | OpenFile | WriteFile | SyncFile | CloseFile | RenameFile | UnlinkFile | IsLocked
)
StoreEffect: TypeAlias = HeadBlob | ReadBlob | ListBlobs | PutBlob | CreateBlob | AppendBlob | HoldsBatch
Effect: TypeAlias = DiskEffect | StoreEffect | Now | Draw | Sleep | ReadOrders | Report
Steps: TypeAlias = Generator[Effect, Any, T]
"""A part of the core that ends with a T."""
