"""The agent as a child process: started when none runs for this spool, never waited for.

Promises: at most one start every 5 s on a host (the start lock's file time says when); the child
inherits no pipe, socket or descriptor of the host, detaches itself and outlives it; its end is seen
by its lock, never by a pid.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.locks import FileLock, is_locked

PAUSE_SECONDS = 5.0
MAX_FRUITLESS_STARTS = 3


class AgentChild:
    """Sees to it that one agent runs for a spool."""

    def __init__(self, directory: SpoolDirectory, root: str, store: str) -> None:
        self._directory = directory
        self._root = root
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self._fruitless = 0

    @property
    def hopeless(self) -> bool:
        """Whether this host cannot run the agent as a process of its own."""
        return self._fruitless >= MAX_FRUITLESS_STARTS or not _is_python(sys.executable)

    def see_to_it(self) -> None:
        """Start the agent if none holds the agent lock."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        if is_locked(self._directory.agent_lock):
            self._fruitless = 0
            return
        start = FileLock(self._directory.start_lock, self._directory.file_mode)
        if not _is_python(sys.executable) or not start.acquire():
            return
        try:
            if self._pause_is_over() and not is_locked(self._directory.agent_lock):
                os.utime(self._directory.start_lock)
                self._start()
        finally:
            start.close()

    def forget(self) -> None:
        """Stop watching the child; it lives on."""
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = 0  # else its destructor warns that a child still runs: it is meant to
        self._process = None

    def _pause_is_over(self) -> bool:
        found = os.stat(self._directory.start_lock)
        fresh = found.st_mtime_ns == 0 or found.st_size == 0
        if fresh:  # the very first start on this spool: the file has just been made
            with open(self._directory.start_lock, "wb") as file:
                file.write(b"\n")
            return True
        return time.time() - found.st_mtime >= PAUSE_SECONDS

    def _start(self) -> None:
        self._fruitless += 1
        command = [sys.executable, "-m", "modeltap.agent", "--spool", self._root, "--store", self._store, "--detach"]
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self._directory.agent_log, flags, self._directory.file_mode)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=True,
                start_new_session=True,
            )
        finally:
            os.close(log)


def _is_python(executable: str | None) -> bool:
    """Whether it is an interpreter and not a host that embeds one (uWSGI names itself)."""
    return bool(executable) and os.path.basename(str(executable)).lower().startswith(("python", "pypy"))
