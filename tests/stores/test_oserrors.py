"""Every error that an operating system knows becomes an error of a store, with a sentence that helps."""

from __future__ import annotations

import errno
import os

import pytest

from modeltap.errors import Conflict, StoreDenied, StoreError, StoreRefused, StoreUnavailable
from modeltap.stores.oserrors import as_store_errors, store_error


def test_every_error_number_has_an_error_that_says_operation_thing_cause_and_remedy():
    for number in errno.errorcode:
        error = store_error("appending to", "x/data.csv", OSError(number, os.strerror(number)))

        assert type(error) in (StoreUnavailable, StoreDenied, StoreRefused, Conflict)
        assert str(error).startswith(f"appending to x/data.csv: {os.strerror(number)}; ")
        assert not str(error).endswith("; ")


@pytest.mark.parametrize(
    ("number", "kind", "remedy"),
    [
        (errno.ENOSPC, StoreUnavailable, "free space"),
        (errno.EDQUOT, StoreUnavailable, "free space"),
        (errno.EIO, StoreUnavailable, "the disk reports damage"),
        (errno.EMFILE, StoreUnavailable, "too many files open"),
        (errno.EINTR, StoreUnavailable, "tries again by itself"),
        (errno.EACCES, StoreDenied, "give this user the right"),
        (errno.EPERM, StoreDenied, "give this user the right"),
        (errno.EROFS, StoreDenied, "mount the disk for writing"),
        (errno.ENAMETOOLONG, StoreRefused, "choose a shorter name"),
        (errno.ENOTDIR, StoreRefused, "move away"),
        (errno.ENOENT, Conflict, "look again"),
    ],
    ids=lambda value: errno.errorcode.get(value, ""),
)  # fmt: skip
def test_the_errors_of_a_disk_have_their_kind_and_remedy(number, kind, remedy):
    error = store_error("putting", "x", OSError(number, os.strerror(number)))

    assert type(error) is kind
    assert remedy in str(error)


def test_what_nobody_foresaw_is_asked_again_and_never_set_aside():
    for strange in (OSError(), OSError("no number"), OSError(99_999, "strange"), TimeoutError()):
        assert type(store_error("reading", "x", strange)) is StoreUnavailable


def test_the_system_s_error_stands_behind_the_store_s():
    with pytest.raises(StoreError) as told, as_store_errors("reading", "x"):
        raise PermissionError(errno.EACCES, "Permission denied")

    assert isinstance(told.value.__cause__, PermissionError)
