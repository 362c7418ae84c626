"""Real agents on real spools: started as scoring processes start them, watched through their files and locks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modeltap.core.settings import Settings, resolve
from modeltap.spool.directory import read_document
from modeltap.spool.locks import is_locked
from modeltap.stores.local import LocalStore
from support.pythons import ROOT
from support.shippers import Spool, data_files, shipped_rows

PATIENCE_SECONDS = 60.0


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until something is so; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return value


class Host:
    """A spool and a local store, and the agents that ship from one to the other."""

    def __init__(self, folder: Path) -> None:
        self.store_path = folder / "store"
        self.spool = Spool(folder / "spool", str(self.store_path))
        self.store = LocalStore(str(self.store_path))
        self._agents: list[subprocess.Popen[bytes]] = []

    @property
    def directory(self) -> Any:
        """The spool's directory."""
        return self.spool.directory

    @property
    def settings(self) -> Settings:
        """Those of a process on this host."""
        return resolve(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What stands in a process's environment here."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MODELTAP_SPOOL": str(self.spool.root),
            "MODELTAP_STORE": str(self.store_path),
            "MODELTAP_FLUSH_SECONDS": "0.2",
        }

    def agent(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """Start an agent."""
        process = subprocess.Popen(
            [sys.executable, "-m", "modeltap.agent", *arguments],
            env=self.environment,
            **{"stderr": subprocess.PIPE, **how},
        )
        self._agents.append(process)
        return process

    def agent_runs(self) -> bool:
        """Whether an agent holds the lock."""
        return is_locked(self.directory.agent_lock)

    def status(self) -> dict[str, Any]:
        """What the agent published last."""
        return read_document(self.directory.status) or {}

    def log(self) -> str:
        """What detached agents said."""
        path = Path(self.directory.agent_log)
        return path.read_text() if path.exists() else ""

    def announce(self, stem: str, pid: int | None = None, accepted: int = 1) -> None:
        """Publish the document of a scoring process."""
        counters = {"accepted": accepted, "rejected": {"ragged_rows": 2}, "dropped": {}}
        document = {
            "stem": stem,
            "pid": os.getpid() if pid is None else pid,
            "host": os.uname().nodename,
            "started": 1.0,
            "settings": {"collect": True},
            "services": {"sub/rg/ws/svc": {"best_model/3/inputs": counters}},
        }
        Path(self.directory.writers, f"{stem}.json").write_text(json.dumps(document))

    def shipped(self) -> Counter[tuple[str, str, str]]:
        """(request id, row, first cell) of every row in the store."""
        return shipped_rows(data_files(self.store))

    def close(self) -> None:
        """End what still runs; only what was started here."""
        pid = self.status().get("agent", {}).get("pid")
        if self.agent_runs() and isinstance(pid, int) and pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
        for process in self._agents:
            process.kill()
            process.wait()
            for pipe in filter(None, (process.stdout, process.stderr)):
                pipe.close()
