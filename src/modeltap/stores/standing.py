"""What stands at a place of a local store, as one look without a lock tells it.

A file with a position file is a data file as far as it is committed. Anything else of more than zero bytes
is a document or somebody else's file, as a whole: one without a position file, one whose position file is
damaged, one that was cut below its committed size, one that took the place of a file in the making.

Promise: a look while others create, append or put tells what stood there at some instant of the look. The
order of its steps rests on what writers do: the position file is there before the data file, the data are
there before their commit, and committed bytes are never cut.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from modeltap.stores.base import Info
from modeltap.stores.commits import Commit
from modeltap.stores.disk import open_to_read, read_at
from modeltap.stores.position import Record, decode_record
from modeltap.stores.tree import Place


class Standing(NamedTuple):
    """A file that is there.

    Attributes:
        info: what the store says of it.
        record: its position file; None for a document or somebody else's file.
    """

    info: Info
    record: Record | None


def look(
    place: Place, measure: Callable[[], os.stat_result | None], recorded: Callable[[], Record | None]
) -> Standing | None:
    """Tell what stands at a place; None when it is absent.

    Args:
        place: where.
        measure: asks for the size and the last change of the file; None when it is not a plain file.
        recorded: reads the position file.
    """
    found = measure()
    if found is None or not found.st_size:
        return None
    record = recorded()
    if record is not None and not record.last.generation:
        if _is_unfinished(place, record):
            return None
        record = recorded()  # its creation may have ended since it was read
    if record is not None and record.last.end > found.st_size:
        found = measure()  # it may have grown since it was measured
    if record is None or not record.last.generation or found is None or record.last.end > found.st_size:
        return None if found is None else Standing(whole_info(place, found), None)
    return Standing(info_of_data(place, record, record.last), record)


def look_by_name(place: Place) -> Standing | None:
    """The same, for a file that is not open."""
    return look(place, lambda: plain_stat(place.data), lambda: read_record(place))


def plain_stat(full: str) -> os.stat_result | None:
    """Size and last change of a plain file; None when there is none."""
    try:
        found = os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def read_record(place: Place) -> Record | None:
    """Read the position file of a place; None when there is none."""
    handle = open_to_read(place.position)
    if handle is None:
        return None
    try:
        return read_open_record(handle, place)
    finally:
        os.close(handle)


def read_open_record(handle: int, place: Place) -> Record | None:
    """The same, from its open file."""
    return decode_record(read_at(handle, os.fstat(handle).st_size, 0), place.thing)


def info_of_data(place: Place, record: Record, last: Commit) -> Info:
    """What the store says of a data file whose last commit is this."""
    return Info(place.path, last.end, f"{last.generation:x}-{last.end:x}", dict(record.metadata))


def whole_info(place: Place, found: os.stat_result) -> Info:
    """What the store says of a document or of somebody else's file."""
    # `put` never repeats an instant at one path, so this names one state of the file.
    etag = f"{found.st_mtime_ns:x}-{found.st_size:x}"
    return Info(place.path, found.st_size, etag, {})


def _is_unfinished(place: Place, record: Record) -> bool:
    """Whether a file holds nothing but a beginning of the header line that it is to have."""
    handle = open_to_read(place.data)
    if handle is None:
        return True
    try:
        return record.header.startswith(read_at(handle, len(record.header) + 1, 0))
    finally:
        os.close(handle)
