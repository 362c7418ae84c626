"""The agent as a child process: started when none runs for this spool, never waited for.

Promises: at most one start every 5 s on a host (the start lock's file time says when); the child
inherits no pipe, socket or descriptor of the host, detaches itself and outlives it; no key stands in
its command line; its end is seen by its lock, never by a pid; an interpreter that cannot be started is counted like an agent that
never came to hold its lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from modeltap.spool.directory import SpoolDirectory
from modeltap.spool.filesystem import open_private
from modeltap.spool.locks import FileLock, is_locked, no_fork

PAUSE_SECONDS = 5.0
MAX_FRUITLESS_STARTS = 3


class AgentChild:
    """Sees to it that one agent runs for a spool."""

    def __init__(self, directory: SpoolDirectory, root: str, store: str, executable: str | None = None) -> None:
        """Start nothing yet.

        Args:
            directory: the spool.
            root: the folder that it stands in.
            store: where the agent ships to.
            executable: the interpreter; this process's own if not given.
        """
        self._directory = directory
        self._root = root
        self._store = store
        self._executable = sys.executable if executable is None else executable
        self._processes: list[subprocess.Popen[bytes]] = []
        self._fruitless = 0

    @property
    def hopeless(self) -> bool:
        """Whether this host cannot run the agent as a process of its own."""
        return self._fruitless >= MAX_FRUITLESS_STARTS or not _is_python(self._executable)

    def see_to_it(self) -> None:
        """Start the agent if none holds the agent lock."""
        self._processes = [process for process in self._processes if process.poll() is None]
        if is_locked(self._directory.agent_lock):
            self._fruitless = 0
            return
        start = FileLock(self._directory.start_lock, self._directory.file_mode)
        if not _is_python(self._executable) or not start.acquire():
            return
        try:
            if self._pause_is_over() and not is_locked(self._directory.agent_lock):
                os.utime(self._directory.start_lock)
                self._start()
        finally:
            start.close()

    def forget(self) -> None:
        """Stop watching the child; it lives on."""
        for process in self._processes:
            if process.poll() is None:
                process.returncode = 0  # else its destructor warns that a child still runs: it is meant to
        self._processes = []

    def _pause_is_over(self) -> bool:
        found = os.stat(self._directory.start_lock)
        if not found.st_size:  # the very first start on this spool: the file has just been made
            with open(self._directory.start_lock, "wb") as file:
                file.write(b"\n")
            return True
        waited = time.time() - found.st_mtime
        return not 0 <= waited < PAUSE_SECONDS  # a clock that was set back must not put off the next start

    def _start(self) -> None:
        with no_fork():  # whoever is forked meanwhile holds the pipe on which the start of this one is awaited
            self._start_process()

    def _start_process(self) -> None:
        self._fruitless += 1
        command = [self._executable, "-m", "modeltap.agent", "--spool", self._root, "--detach"]
        log = self._open_log()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "MODELTAP_STORE": self._store},  # it may hold a key: a command line is read by all
                close_fds=True,
                start_new_session=True,
            )
        except OSError:  # no such interpreter, no memory, no process left: counted above, tried again after the pause
            return
        finally:
            os.close(log)
        self._processes.append(process)

    def _open_log(self) -> int:
        try:
            return open_private(self._directory.agent_log, os.O_WRONLY | os.O_APPEND, self._directory.file_mode)
        except OSError:  # a full disk, or the log of another user: the agent is wanted all the same
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


def _is_python(executable: str | None) -> bool:
    """Whether it is an interpreter and not a host that embeds one (uWSGI names itself)."""
    return bool(executable) and os.path.basename(str(executable)).lower().startswith(("python", "pypy"))
