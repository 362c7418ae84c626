"""``modeltap run -- CMD``: a command with the import aliases on, in it and in its Python children.

The command replaces this process, so its exit code, signals and terminal are its own. Nothing is
left behind: the only trace is one folder of modeltap's own in front of the command's ``PYTHONPATH``.
Pythons that ignore that variable (``-E``, ``-I``) or the site module (``-S``) run without the aliases.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from modeltap.errors import SettingsError

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
"""The folder whose ``sitecustomize`` puts the aliases on."""


def run(argv: Sequence[str]) -> int:
    """Run a command with the aliases on.

    Args:
        argv: the command and its arguments; a ``.py`` file is run by this Python.

    Returns:
        The exit code, on systems where a process cannot be replaced; elsewhere it does not return.

    Raises:
        SettingsError: no command, or none of that name that could be run.
    """
    command = resolved(argv, os.environ)
    environment = with_aliases(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            return subprocess.call(command, env=environment)
        os.execve(command[0], command, environment)  # noqa: S606  the user's own command, never through a shell
    except OSError as error:
        raise SettingsError(f"running {argv[0]}: {error.strerror}; check that it is a program") from error


def resolved(argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command with the path of its program.

    Raises:
        SettingsError: no command, or none of that name.
    """
    if not argv:
        raise SettingsError("running a command: none was given; write modeltap run -- COMMAND ARGUMENTS")
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is not None:
        return [program, *argv[1:]]
    if argv[0].endswith(".py") and os.path.isfile(argv[0]):
        return [sys.executable, *argv]
    raise SettingsError(f"running {argv[0]}: there is no such program on PATH; check its name, or give its path")


def with_aliases(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment whose Pythons have the aliases on."""
    given = environment.get("PYTHONPATH", "")
    others = [entry for entry in given.split(os.pathsep) if entry != SITE] if given else []
    return {**environment, "PYTHONPATH": os.pathsep.join([SITE, *others])}
