"""Fresh folders for a measurement, and the environment that names them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def fresh(**settings: str) -> Iterator[dict[str, str]]:
    """An environment with a store and a spool of its own, removed afterwards."""
    folder = tempfile.mkdtemp(prefix="modeltap-bench-")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODELTAP_")}
    environment |= {
        "MODELTAP_STORE": os.path.join(folder, "store"),
        "MODELTAP_SPOOL": os.path.join(folder, "spool"),
        "MODELTAP_EXIT_FLUSH_SECONDS": "0",
        **settings,
    }
    try:
        yield environment
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(module: str, environment: Mapping[str, str], *arguments: str) -> str:
    """Run a module of the bench in a process of its own; gives what it prints."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
