"""A scoring file of the original: found, loaded with the aliases on, and its two functions.

The file is loaded under the module name ``entry_module``, as the original's server does, and its
folder is put at the end of ``sys.path`` so that it finds the modules beside it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from modeltap.compat.imports import install
from modeltap.errors import SettingsError

VARIABLE = "MODELTAP_ENTRY_SCRIPT"
"""Names the scoring file for hosts that cannot be told otherwise."""
MODULE_NAME = "entry_module"


class Script(NamedTuple):
    """The functions of a scoring file."""

    path: Path
    init: Callable[[], object]
    run: Callable[..., Any]


def load(path: str | os.PathLike[str]) -> Script:
    """Load a scoring file.

    Args:
        path: the file, with ``run(data)`` and usually ``init()``.

    Returns:
        Its functions; where it names a ``driver_module``, that module's ``run``, as the original does.

    Raises:
        SettingsError: there is no such file, it is no Python file, or it has no ``run``.
        Exception: whatever the file itself raises.
    """
    file = existing(path)
    install()
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    module = _execute(file)
    run = getattr(getattr(module, "driver_module", None), "run", None) or getattr(module, "run", None)
    if not callable(run):
        raise SettingsError(
            f"loading the scoring file {file}: it has no function run; define run(data), which gets a request's body "
            "and returns the prediction"
        )
    init = getattr(module, "init", None)
    return Script(file, init if callable(init) else _nothing, run)


def existing(path: str | os.PathLike[str]) -> Path:
    """The absolute path of a scoring file that is there.

    Raises:
        SettingsError: there is no such file, or its name does not end in ``.py``.
    """
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        cause = "it is a folder; name the file in it" if file.is_dir() else "there is no such file; check the path"
        raise SettingsError(f"loading the scoring file {file}: {cause}")
    if file.suffix != ".py":
        raise SettingsError(f"loading the scoring file {file}: it is no Python file; name one that ends in .py")
    return file


def find(names: Iterable[str], folders: Iterable[str], other_than: Iterable[Path]) -> Path | None:
    """The first file of these names in these folders that is none of some others."""
    excluded = {file.resolve() for file in other_than}
    for folder in folders:
        for name in names:
            candidate = Path(folder, name)
            if candidate.is_file() and candidate.resolve() not in excluded:
                return candidate
    return None


def _execute(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(MODULE_NAME, file)
    if spec is None or spec.loader is None:
        raise SettingsError(f"loading the scoring file {file}: Python cannot load it; name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # Data classes and schema decorators look their module up by name while the file is still running.
    sys.modules[MODULE_NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(MODULE_NAME, None)
        raise
    return module


def _nothing() -> None:
    """Stand in for a missing ``init``."""
