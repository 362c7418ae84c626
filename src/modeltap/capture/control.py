"""What a scoring process may ask of its collectors: ship now, close, count."""

from __future__ import annotations

from typing import Any

from modeltap import runtime
from modeltap.core.settings import resolve
from modeltap.runtime import log


def flush(timeout_seconds: float = 10.0, durable: bool = False) -> bool:
    """Wait until every row that this process has accepted so far is shipped.

    Args:
        timeout_seconds: how long to wait at most.
        durable: be content when the rows are on stable disk.

    Returns:
        True when that is so; False at the timeout, or when no shipper could be reached.
    """
    found = runtime.existing()
    if found is None:
        return True
    try:
        return found.flush(timeout_seconds, durable=durable)
    except Exception as error:
        log.warning("modeltap: flushing: %r; what is in the spool is shipped later", error)
        return False


def close() -> None:
    """End collecting in this process; what is in the spool is shipped by the agent. Idempotent."""
    try:
        runtime.close()
    except Exception as error:
        log.warning("modeltap: closing: %r; what is in the spool is shipped by the next run", error)


def stats() -> dict[str, Any]:
    """The counters of this process.

    Returns:
        ``accepted``, ``shipped``, ``volatile``, ``quarantined``, ``off``, ``sampled_out``,
        ``unpaired_rows``, ``width_mismatch`` as numbers of rows, ``rejected`` and ``dropped`` as rows
        by reason, ``problem`` as text, and the same by collection under ``collections``.
    """
    found = runtime.existing()
    if found is None:
        found = runtime.Runtime(resolve())
    return found.stats()
