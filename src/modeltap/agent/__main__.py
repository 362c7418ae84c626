"""``python -m modeltap.agent``: the agent as a process.

By hand it stays until SIGTERM or Ctrl-C, and stands by while another agent ships the spool. With ``--detach``, as
scoring processes start it, it leaves its starter at once, holds nothing of it, and ends when nobody needs it.

Exit codes: 0 ended as told, or another agent ships this spool; 1 it could not run, or rows are left after ``--once``;
2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from modeltap.core.settings import Settings, resolve
from modeltap.core.urls import public_url
from modeltap.errors import ModeltapError
from modeltap.spool.directory import SpoolDirectory

if TYPE_CHECKING:
    from modeltap.agent.process import Agent

STAND_BY_SECONDS = 1.0

log = logging.getLogger("modeltap.agent")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the agent.

    Args:
        argv: the arguments after the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    arguments = _parser().parse_args(argv)
    if arguments.detach and not _detach():
        return 0
    from modeltap.agent.log import log_to_file, log_to_stderr, redirect_output

    said = {"MODELTAP_SPOOL": arguments.spool, "MODELTAP_STORE": arguments.store}
    settings = resolve({**os.environ, **{name: value for name, value in said.items() if value}})
    os.umask(0o007 if settings.spool_group else 0o077)
    try:
        spool = SpoolDirectory.open(settings.spool, settings.store, group=settings.spool_group, uid=arguments.uid)
        if arguments.detach:
            redirect_output(spool.agent_log, spool.file_mode)
            log_to_file(spool.agent_log)
        else:
            log_to_stderr()
        return _run(spool, settings, arguments)
    except (ModeltapError, OSError) as error:
        sys.stderr.write(f"modeltap agent: {error}\n")
        return 1
    except Exception:
        log.exception("the agent ends because of an error in modeltap; rows wait in the spool for the next one")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m modeltap.agent", description="Ships a spool to its store.")
    parser.add_argument("--spool", metavar="DIR", default="", help="the spool (MODELTAP_SPOOL)")
    parser.add_argument("--store", metavar="URL", default="", help="the store (MODELTAP_STORE)")
    parser.add_argument("--listen", metavar="ADDR", default="", help="serve metrics, e.g. 127.0.0.1:9464")
    parser.add_argument(
        "--uid", type=int, default=None, help="whose rows, when another user's spool is shared by group"
    )
    parser.add_argument("--idle-seconds", type=float, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--grace-seconds", type=float, default=None, help=argparse.SUPPRESS)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--detach", action="store_true", help="go to the background, end when nobody needs it")
    mode.add_argument("--once", action="store_true", help="ship what is there, then end")
    return parser


def _detach() -> bool:
    """Become a process that nothing connects with the one that started this; False in the one that returns."""
    if os.fork():
        return False
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return True


def _run(spool: SpoolDirectory, settings: Settings, arguments: argparse.Namespace) -> int:
    # Loaded after the fork, so that whoever started this process has it back at once.
    from modeltap.agent.control import GRACE_SECONDS, IDLE_SECONDS
    from modeltap.agent.metrics import serving
    from modeltap.agent.process import Agent

    idle = IDLE_SECONDS if arguments.idle_seconds is None else arguments.idle_seconds
    grace = GRACE_SECONDS if arguments.grace_seconds is None else arguments.grace_seconds
    agent = Agent(spool, settings, idle_seconds=idle if arguments.detach else -1.0, drain=arguments.once)

    def end(_number: int, _frame: FrameType | None) -> None:
        agent.control.stop(grace)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if not agent.lock():
        log.info("another agent ships %s", spool.path)
        if arguments.detach or arguments.once or not _stand_by(agent):
            return 0
    with serving(agent.control, arguments.listen):
        log.info("shipping %s to %s", spool.path, public_url(settings.store))
        empty = agent.run()
    log.info("ended; %s", "nothing is left to ship" if empty else "rows are left in the spool")
    return 0 if empty or not arguments.once else 1


def _stand_by(agent: Agent) -> bool:
    """Wait until the other agent ends; False when told to end before."""
    while not agent.control.stopping:
        if agent.lock(tries=1):
            return True
        agent.control.wait(STAND_BY_SECONDS)
    return False


if __name__ == "__main__":
    sys.exit(main())
