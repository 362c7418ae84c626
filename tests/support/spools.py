"""A spool of a test: a place, frames that say their number, and all numbers that can be read back."""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from modeltap.core.schema import Schema
from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.frame import FIXED, NO_ROW, Descriptor, Frame, decode_frame
from modeltap.spool.segment import decode_header, scan
from support.frames import INSTANT_US, KEY

DESCRIPTOR = Descriptor(KEY, Schema((("y", "bool"),)), "bool")
DAY = 20_779


def open_spool(folder: Path) -> SpoolDirectory:
    """The spool of one store below a folder."""
    return SpoolDirectory.open(str(folder / "spool"), str(folder / "store"))


def body(number: int, rows: int = 8) -> bytes:
    """The body of a frame whose sequence is ``number``, of about ``rows`` bytes."""
    fixed = FIXED.pack(number, INSTANT_US, DAY, rows, NO_ROW, 100.0, 0, 3, 0, 0)
    return fixed + b"r-1" + bytes(rows)


def segments(directory: SpoolDirectory) -> list[Path]:
    """The segment files in the order of their numbers."""
    return sorted(Path(directory.segments).glob("*.seg"), key=lambda path: (len(path.name), path.name))


def frames_in(path: Path) -> list[Frame]:
    """Every whole frame of a segment, behind damage too."""
    data = path.read_bytes()
    header = decode_header(data)
    if header is None:
        return []
    return [decode_frame(found.body) for found in scan(data[header.length :], header.magic).found]


def numbers_in(directory: SpoolDirectory) -> Counter[int]:
    """How often the frame of each number stands in the spool."""
    return Counter(frame.sequence for path in segments(directory) for frame in frames_in(path))


def torn_bytes(path: Path) -> int:
    """Bytes of a segment that are no frame."""
    data = path.read_bytes()
    header = decode_header(data)
    if header is None:
        return len(data)
    found = scan(data[header.length :], header.magic).found
    return len(data) - header.length - sum(frame.end - frame.start for frame in found)


def in_forked_child(work: Callable[[], object]) -> int:
    """Do something in a forked child; gives its exit status: 0, or 1 when it raised."""
    process = fork()
    if process == 0:
        leave(work)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def fork() -> int:
    """``os.fork`` in a test whose threads are known to hold nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def leave(work: Callable[[], object]) -> None:
    """The whole life of a forked child: nothing of the test run is ended twice."""
    try:
        work()
        os._exit(0)
    except BaseException as error:
        print(f"in the forked child: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)
