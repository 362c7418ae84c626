"""Agents that are killed at random instants.

As a script: ``python killed_agents.py KILLS SEED``: forks one agent of this host's spool after the other and kills
each some instants after its start, after a batch was written down, or after rows came to the store; then prints
how many were killed at each of these.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

START, BATCH, ROWS = "start", "batch", "rows"
MORE_SECONDS = {START: 0.1, BATCH: 0.02, ROWS: 0.02}
PATIENCE_SECONDS = 30.0


def main(kills: int, seed: int) -> None:
    """Fork and kill."""
    from modeltap.agent.__main__ import main as agent
    from modeltap.agent.process import Agent  # noqa: F401  loaded once, before the forks

    store, spool = Path(os.environ["MODELTAP_STORE"]), Path(os.environ["MODELTAP_SPOOL"])
    chance, killed = random.Random(seed), Counter()
    while killed.total() < kills:
        moment = chance.choice([START, BATCH, ROWS])
        stood = _bytes(store)
        child = os.fork()
        if child == 0:
            os._exit(agent([]))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if (
                moment == START
                or (moment == BATCH and any(spool.glob("*/intents/*")))
                or (moment == ROWS and _bytes(store) != stood)
            ):
                break
            time.sleep(0.0005)
        time.sleep(MORE_SECONDS[moment] * chance.random())
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"an agent ended by itself: {status}")
        killed[moment] += 1
    print(*(killed[moment] for moment in (START, BATCH, ROWS)))


def _bytes(store: Path) -> int:
    return sum(path.stat().st_size for path in store.glob("modeldata/**/data*.csv"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
