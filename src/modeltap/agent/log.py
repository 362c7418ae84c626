"""What the agent says: into ``agent.log`` of its spool, at most 2 MiB with the file before it."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler

MAX_BYTES = 1 << 20
FORMAT = "%(asctime)s %(levelname)s %(message)s"


def log_to_file(path: str) -> None:
    """Send what modeltap logs to a file."""
    _use(RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"))


def log_to_stderr() -> None:
    """Send what modeltap logs to the terminal."""
    _use(logging.StreamHandler(sys.stderr))


def _use(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(FORMAT))
    log = logging.getLogger("modeltap")
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


def redirect_output(path: str, mode: int) -> None:
    """Let standard output and errors go to a file and input come from nowhere: no pipe of the host is held."""
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
    for number, handle in ((0, os.open(os.devnull, os.O_RDONLY)), (1, os.open(path, flags, mode))):
        os.dup2(handle, number)
        os.close(handle)
    os.dup2(1, 2)
