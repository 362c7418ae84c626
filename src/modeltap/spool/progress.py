"""Progress of shipping, as the agent publishes it: what waits, a request to ship at once, and waiting for it.

Promises: a segment that is gone is shipped; a position that was published is never taken back wrongly, so an
old ``status.json`` says too little, not too much; nothing here waits longer than it was told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from itertools import count

from modeltap.spool.directory import SpoolDirectory, read_document
from modeltap.spool.filesystem import LocalFilesystem, open_private
from modeltap.spool.segment import SUFFIX, writer_stem

SHORTEST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.1
_numbers = count()


def segments_of(spool: SpoolDirectory, stem: str = "") -> dict[str, int]:
    """Name and size in bytes of the segments, of one writer or of all."""
    found = LocalFilesystem().list(spool.segments)
    return {
        name: size for name, size in found.items() if name.endswith(SUFFIX) and (not stem or writer_stem(name) == stem)
    }


def positions(spool: SpoolDirectory) -> dict[str, int]:
    """For each segment the position below which no accepted row waits to be shipped."""
    document = read_document(spool.status) or {}
    published = document.get("segments")
    return dict(published) if isinstance(published, dict) else {}


def unshipped(spool: SpoolDirectory, segments: Mapping[str, int]) -> int:
    """How many bytes of these segments, up to these sizes, wait to be shipped."""
    # The segments are listed first: one that is removed meanwhile only looks as if it still waited.
    there, shipped = segments_of(spool), positions(spool)
    return sum(max(0, size - shipped.get(name, 0)) for name, size in segments.items() if name in there)


def request_flush(spool: SpoolDirectory) -> None:
    """Ask the agent to ship everything at once; returns immediately.

    Raises:
        OSError: the spool cannot be written to.
    """
    token = f"{time.time_ns()}-{os.getpid()}-{next(_numbers)}\n".encode()
    handle = open_private(spool.flush, os.O_WRONLY | os.O_TRUNC, spool.file_mode)
    try:
        os.write(handle, token)
    finally:
        os.close(handle)


def wait_until_shipped(spool: SpoolDirectory, segments: Mapping[str, int], timeout_seconds: float) -> bool:
    """Wait until the bytes that these segments had are shipped.

    Args:
        spool: whose agent is at work.
        segments: name and size, as ``segments_of`` gave them.
        timeout_seconds: how long at most; looks at least once.

    Returns:
        Whether all is shipped.
    """
    deadline, pause = time.monotonic() + timeout_seconds, SHORTEST_PAUSE_SECONDS
    while unshipped(spool, segments):
        rest = deadline - time.monotonic()
        if rest <= 0:
            return False
        time.sleep(min(pause, rest))
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return True
