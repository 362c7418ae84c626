"""What the operating system says of a disk, as errors of a store.

Promise: every ``OSError`` becomes exactly one error of the Store tree, and one that nobody foresaw is
StoreUnavailable: rows then wait in the spool, they are never set aside for a reason that may pass.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from modeltap.errors import Conflict, StoreDenied, StoreError, StoreRefused, StoreUnavailable

_RIGHTS = "give this user the right to write there, or set MODELTAP_STORE to another folder"
_FULL = "free space or raise the quota; modeltap goes on by itself"
_FOLDER = "move away what stands in the place of the folder or file"

_DENIED = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "mount the disk for writing, or set MODELTAP_STORE to another folder",
    errno.ELOOP: "symbolic links below the store's folder are not followed; move the folder itself instead",
}
_UNAVAILABLE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on file sizes; modeltap goes on by itself",
    errno.EIO: "the disk reports damage; look at the system's log",
    errno.EMFILE: "this process has too many files open; raise its limit (ulimit -n)",
    errno.ENFILE: "this host has too many files open; raise its limit",
}
_REFUSED = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EILSEQ: "choose a name that this file system can hold",
    errno.ENOTDIR: _FOLDER,
    errno.EISDIR: _FOLDER,
}
_CONFLICT = {
    errno.ENOENT: "somebody removed it; look again",
    errno.EEXIST: "somebody made it first; look again",
}
_AGAIN = "modeltap tries again by itself; if it lasts, look at the disk"


def store_error(operation: str, thing: str, error: OSError) -> StoreError:
    """Give the store's error for an error of the operating system.

    Args:
        operation: what was being done: ``appending to``.
        thing: what to: a path and its store.
        error: what the system said.
    """
    number = error.errno or 0
    for kind, remedies in (
        (StoreDenied, _DENIED),
        (StoreUnavailable, _UNAVAILABLE),
        (StoreRefused, _REFUSED),
        (Conflict, _CONFLICT),
    ):
        if number in remedies:
            return kind(f"{operation} {thing}: {error.strerror}; {remedies[number]}")
    return StoreUnavailable(f"{operation} {thing}: {error.strerror or type(error).__name__}; {_AGAIN}")


@contextmanager
def as_store_errors(operation: str, thing: str) -> Iterator[None]:
    """Turn every ``OSError`` of the block into a store's error."""
    try:
        yield
    except OSError as error:
        raise store_error(operation, thing, error) from error
