"""What may be said of a value that was not taken: how many rows it had, and where reading it failed.

Promises: nothing here raises an ``Exception``, and no text holds a value of the user's: an exception's
own text often quotes the row that caused it.
"""

from __future__ import annotations

import os
from typing import Any


def described(error: BaseException) -> str:
    """Type and place of an exception: ``ValueError (generic.py:1519)``."""
    try:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        name = type(error).__name__
        if trace is None:
            return name
        return f"{name} ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
    except Exception:
        return "an exception"


def row_count(data: Any) -> int:
    """Rows of a rejected value as far as they can be told; at least one."""
    try:
        if isinstance(data, list):
            first = list.__getitem__(data, 0)
            return list.__len__(data) if isinstance(first, list | tuple | dict) else 1
    except Exception:
        return 1
    return 1
