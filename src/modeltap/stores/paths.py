"""Which paths and arguments a store takes: every backend asks here before anything else.

Promises: a path that passes stays inside the store's root on every system; it never names modeltap's own
bookkeeping; two paths that differ are two files (on file systems that tell upper from lower case).

Refused: an empty path or part, ``.`` and ``..``, a leading or trailing ``/``, backslashes, NUL and other
control characters, text that is not Unicode, the reserved tree and the reserved name. A part may have
any other character, since other people's files are read too; the parts that modeltap makes are plain
(``modeltap.core.names``).
"""

from __future__ import annotations

import re

from modeltap.errors import StoreRefused

POSITIONS = "modeltap/positions"
"""The commit records of data files, on backends that keep them as files; never listed, never a path."""
UNFINISHED = ".modeltap-put"
"""The file name of a document on its way; never listed, never a part of a path."""

_REFUSED_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def check_path(path: str) -> str:
    """Give the path back if a store can take it.

    Raises:
        StoreRefused: it cannot; the message says why.
    """
    _check_parts(path)
    if is_reserved(path):
        raise _refused(path, "modeltap keeps that name for itself")
    return path


def check_prefix(prefix: str) -> str:
    """Give back the folder of a prefix (empty for the root) if a store can list it.

    A prefix is any beginning of a path's text: its last part may be empty or half a name.

    Raises:
        StoreRefused: it is the beginning of no path.
    """
    folder, _, rest = prefix.rpartition("/")
    if prefix.startswith("/") or _REFUSED_CHARACTERS.search(rest):
        raise _refused(prefix, "no path begins like that")
    if folder:
        _check_parts(folder)
    return folder


def is_path(path: str) -> bool:
    """Whether a path that was found in a store is one that it takes."""
    try:
        check_path(path)
    except StoreRefused:
        return False
    return True


def is_reserved(path: str) -> bool:
    """Whether a path is modeltap's own bookkeeping, not a file of the store."""
    # Compared without case: some file systems do not tell upper from lower.
    folded = path.casefold()
    return folded == POSITIONS or folded.startswith(POSITIONS + "/") or UNFINISHED in folded.split("/")


def check_bytes(path: str, data: bytes) -> None:
    """Refuse to write nothing: a file of zero bytes would be absent, and so would its batch.

    Raises:
        StoreRefused: there is no byte.
    """
    if not data:
        raise StoreRefused(f"writing to {path!r} in a store: there is nothing to write; send at least one byte")


def check_batch(path: str, position: int, length: int) -> None:
    """Refuse a batch that no file could hold.

    Raises:
        StoreRefused: it has no byte, or a negative position.
    """
    if position < 0 or length < 1:
        raise StoreRefused(
            f"committing {length} bytes at {position} of {path!r}: send at least one byte, at a committed size"
        )


def check_range(path: str, start: int, length: int) -> None:
    """Refuse a stretch that no file could have.

    Raises:
        StoreRefused: ``start`` is negative, or ``length`` is and not -1.
    """
    if start < 0 or length < -1:
        raise StoreRefused(f"reading {length} bytes at {start} of {path!r}: count from the beginning of the file")


def _check_parts(path: str) -> None:
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise _refused(path, "a part is empty, '.' or '..'")
    if _REFUSED_CHARACTERS.search(path):
        raise _refused(path, "it has a backslash or a control character, or is not Unicode")


def _refused(path: str, cause: str) -> StoreRefused:
    return StoreRefused(f"using the path {path[:200]!r} in a store: {cause}; choose another name")
