r"""The CSV that modeltap writes, as facts that every reader and writer shares.

UTF-8 without BOM, comma, ``"`` quoting only where needed, ``\r\n`` row ends, the header first and once.
Cells: empty is null, ``""`` is the empty string, ``True`` / ``False``, floats as the shortest text that
reads back to the same float64 (``3.0`` keeps its ``.0``), ``NaN`` / ``inf`` / ``-inf``.
"""

from __future__ import annotations

TIMESTAMP = "$Timestamp"
CORRELATION_ID = "$CorrelationId"
REQUEST_ID = "$RequestId"
HOST_REQUEST_ID = "$HostRequestId"
ROW = "$Row"
SAMPLE_PERCENT = "$SamplePercent"

LEADING = (TIMESTAMP, CORRELATION_ID, REQUEST_ID, HOST_REQUEST_ID, ROW, SAMPLE_PERCENT)
"""The columns in front of the features; the first three are the original's own, in its order."""

ROW_END = "\r\n"
