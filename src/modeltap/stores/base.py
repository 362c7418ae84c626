"""The contract between modeltap and a store: seven verbs over paths, the same on every backend.

A path is relative, its parts are separated by ``/`` (``modeltap.stores.paths`` says which are refused).
Two kinds of thing stand at paths:

- a **document**: small, replaced as a whole by ``put``, guarded by its ETag;
- a **data file**: made once by ``create`` with its header line, grown only by ``append``. A batch has an
  identity and a position, and committing it twice is a no-op. Nobody ever sees bytes that are not committed.

Promises that hold for every verb of every backend:

1. What a verb has returned is durable, and every later call anywhere sees it.
2. A file of zero bytes, or one whose creation was cut short, is absent.
3. ``StoreUnavailable`` says nothing about what happened: the change is there, is not there, or comes
   later. Ask ``head`` or ``holds``, or send the same call again: ``append`` and conditional ``put`` are
   safe to repeat. Every other error says that this call changed nothing.
4. Every failure is one of ``modeltap.errors``: StoreUnavailable, StoreDenied, Conflict, StoreRefused. A
   path or argument that no store could take is StoreRefused, whatever the verb.

A file that somebody else put there (the original's own, a copy) is read as a whole, has no metadata, and
is never appended to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol


class Info(NamedTuple):
    """What a store says of one file.

    Attributes:
        path: where it stands.
        size: committed bytes; more than zero.
        etag: opaque, not empty; changes with every change of the file, also within one clock tick.
        metadata: of a data file, as given to ``create``; empty for documents and other people's files.
    """

    path: str
    size: int
    etag: str
    metadata: Mapping[str, str]


class Store(Protocol):
    """A place for collected rows. Safe to use from several threads, and from several processes at once."""

    url: str
    """The public form of the store's URL, without secrets."""

    def head(self, path: str) -> Info | None:
        """Tell what stands at a path; None when it is absent.

        Changes nothing. Answers for one instant: the file may have grown when the answer arrives.
        """

    def read(self, path: str, start: int = 0, length: int = -1) -> bytes:
        """Read committed bytes ``[start, start + length)``, fewer at the end; ``-1`` reads to the end.

        Changes nothing. A document is read as it was at one instant, never half of an older one. Bytes of a
        data file never change once they are committed.

        Raises:
            Conflict: nothing stands there.
        """

    def list(self, prefix: str) -> Iterator[Info]:
        """Tell every file whose path begins with a text, at any depth, in the order of the paths' text.

        Changes nothing. Not one instant: a file that comes or goes meanwhile may or may not be told.
        """

    def put(self, path: str, data: bytes, *, if_match: str | None = None) -> Info:
        """Put a whole document in place: seen whole or not at all, durable when this returns.

        Args:
            path: where.
            data: the whole document, at least one byte.
            if_match: None replaces whatever document is there; ``""`` demands that nothing is there; an ETag
                demands that exactly this one is there.

        Raises:
            Conflict: the condition failed, or a data file stands there. After a StoreUnavailable it may be
                one's own earlier call that is in the way: read and compare.
        """

    def create(self, path: str, header: bytes, metadata: Mapping[str, str]) -> Info:
        """Make a data file that holds its header line: whole or absent, by exactly one of all who try.

        Args:
            path: where.
            header: the first committed bytes, at least one.
            metadata: short texts that ``head`` and ``list`` give back.

        Raises:
            Conflict: something stands there. After a StoreUnavailable it may be one's own: ask ``head``.
        """

    def append(self, path: str, data: bytes, *, position: int, batch_id: str) -> Info:
        """Commit a batch behind the committed bytes: all of it or nothing, and once.

        The same batch (id, bytes) again is a no-op that returns what ``head`` would, whatever position it is
        sent to. Bytes that a dead writer left behind the committed ones are removed first.

        Args:
            path: of a file that ``create`` made.
            data: the batch, at least one byte, whole rows.
            position: the committed size that the file must have now.
            batch_id: the identity of the batch, unique over all writers, never used for other bytes.

        Raises:
            Conflict: the committed size is another and the batch is not in; its id was used for other bytes;
                nothing stands there; it is a document or somebody else's file.
        """

    def holds(self, path: str, *, position: int, length: int, sha256: str, batch_id: str) -> bool:
        """Answer "is it in?": whether a batch is committed. True is durable.

        Changes no bytes. False stays true only while nobody sends that batch. A store remembers the ids of
        at least the last 32 commits of a file; an older batch is in if its bytes stand at its position.

        Args:
            path: of the data file; False when it is absent.
            position: where the batch was to begin.
            length: of the batch in bytes.
            sha256: of its bytes, in hex digits.
            batch_id: its identity.
        """
