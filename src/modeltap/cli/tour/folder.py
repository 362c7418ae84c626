"""The folder of the demo: a training script, a scoring file, a model, held-out rows, a spool and a store.

Promise: only a folder that an earlier demo made is emptied; any other that exists is refused.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from modeltap.core.settings import resolve
from modeltap.errors import MissingExtra, ModeltapError, SettingsError
from modeltap.spool.locks import is_locked

MARK = ".modeltap-demo"
NEEDED = ("sklearn", "joblib", "uvicorn", "starlette")
SERVICE = "clinic"
TRAINING_SECONDS = 60
QUIET_SECONDS = 15.0
"""Longer than an agent stays when nobody needs it."""


class HeldOut(NamedTuple):
    """Rows that the model has not seen."""

    columns: list[str]
    rows: list[list[Any]]


class DemoFolder:
    """Where everything of one demo stands.

    Args:
        path: the folder.
        store: a store elsewhere; empty puts it into the folder.
    """

    def __init__(self, path: Path, store: str = "") -> None:
        self.path = path.absolute()
        self.store = resolve({"MODELTAP_STORE": store or str(self.path / "store")}).store
        self.spool = str(self.path / "spool")
        self.score = self.path / "score.py"

    @property
    def environment(self) -> dict[str, str]:
        """What the children of the demo run with: its own store and spool, whatever else the user has set."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MODELTAP_", "AML_MODEL_DC_"))
        }
        workspace = os.environ.get("MODELTAP_WORKSPACE")
        own = {"MODELTAP_STORE": self.store, "MODELTAP_SPOOL": self.spool, "MODELTAP_SERVICE": SERVICE}
        own["OMP_NUM_THREADS"] = "1"  # the workers are processes: threads of a numerical library would fight over cores
        return kept | own | ({"MODELTAP_WORKSPACE": workspace} if workspace else {})

    def make(self) -> None:
        """Make the folder anew with the two scripts.

        Raises:
            MissingExtra: the demo's packages are not installed.
            SettingsError: something else stands there.
        """
        if any(find_spec(name) is None for name in NEEDED):
            raise MissingExtra("modeltap demo", "demo")
        if self.path.exists():
            if not (self.path / MARK).is_file():
                raise SettingsError(f"making {self.path}: it exists and no demo made it; choose another with --folder")
            self._wait_until_nobody_uses_it()
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True)
        (self.path / MARK).touch()
        for name in ("train.py", "score.py"):
            text = files("modeltap.cli.tour").joinpath(f"{name}.txt").read_text(encoding="utf-8")
            (self.path / name).write_text(text, encoding="utf-8")

    def _wait_until_nobody_uses_it(self) -> None:
        """An agent stays some seconds after its service; one whose spool is replaced under it would ship the new rows too."""
        locks = [*self.path.glob("spool/*/agent.lock"), *self.path.glob("spool/*/segments/*.seg")]
        deadline = time.monotonic() + QUIET_SECONDS
        while any(is_locked(str(lock)) for lock in locks):
            if time.monotonic() > deadline:
                raise SettingsError(
                    f"making {self.path}: a demo still runs there; end it, or choose another with --folder"
                )
            time.sleep(0.1)

    def train(self) -> str:
        """Run the training script; gives what it says.

        Raises:
            ModeltapError: it failed.
        """
        command = [sys.executable, "train.py"]
        done = subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, timeout=TRAINING_SECONDS, check=False
        )
        if done.returncode:
            raise ModeltapError(
                f"training in {self.path}: {done.stderr.strip()}; run python train.py there to see more"
            )
        return done.stdout.strip()

    def held_out(self) -> HeldOut:
        """The rows that the training kept back."""
        document = json.loads((self.path / "held_out.json").read_text(encoding="utf-8"))
        return HeldOut(document["columns"], document["rows"])
