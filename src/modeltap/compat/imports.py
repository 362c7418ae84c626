"""The import finder that lets scoring files of the original run unchanged.

Promises of ``install()``
- ``azureml.monitoring`` and ``azureml.ai.monitoring`` (submodules too) resolve to modeltap, also when
  the original's packages are installed or were imported before; a process that meets installed ones
  says so in one log line.
- No other package below ``azureml`` is hidden, whichever way it is installed, in one folder or several,
  and whenever it is put on ``sys.path``; where ``azureml`` is missing, a stand-in holds the aliases.
- Calling it again changes nothing. Nothing of the original's packages is imported or needed, and
  nothing of modeltap beyond this module is imported until an alias is.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from modeltap.compat.faces import ALIASES, STAND_INS, face_of, is_package, roots

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importlib.abc loads forty modules, and every Python child would pay for them


class Aliases(Loader):
    """Stands first on ``sys.meta_path`` and answers for the aliases alone; also loads them."""

    def __init__(self) -> None:
        self._reported = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for an alias; None for every other name."""
        del path, target
        if fullname not in ALIASES:
            return None
        self.report()
        return ModuleSpec(fullname, self, origin="modeltap", is_package=is_package(fullname))

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the import system make an empty module."""
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill an alias with what it stands for."""
        face = face_of(module.__name__)
        module.__doc__ = "Stands in for the original's module of this name; part of modeltap."
        for attribute, home in face.items():
            setattr(module, attribute, getattr(importlib.import_module(home), attribute))
        vars(module)["__all__"] = list(face)

    def report(self) -> None:
        """Say once per process which installed packages are passed over."""
        if self._reported:
            return
        self._reported = True
        passed_over = [f"{name} ({origin})" for name in roots() if (origin := installed_at(name))]
        if passed_over:
            import logging  # a Python child that imports no alias should not pay for it

            logging.getLogger("modeltap").warning(
                "importing %s: installed, but modeltap stands in for it in this process", ", ".join(passed_over)
            )


class StandIns:
    """Stands last on ``sys.meta_path``: answers only when nobody else knows a name."""

    def __init__(self, loader: Aliases) -> None:
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Look in every folder that has a part of the parent by now, then stand in."""
        del path
        if fullname not in STAND_INS and not fullname.startswith("azureml."):
            return None
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(parent, ModuleType) and parent.__name__ in STAND_INS:
            own = [] if is_stand_in(parent) else list(parent.__path__)
            grown: list[str] = pkgutil.extend_path(own, parent.__name__)
            if grown != own and (found := PathFinder.find_spec(fullname, grown, target)) is not None:
                parent.__path__ = grown
                return found
        if fullname not in STAND_INS:
            return None
        return ModuleSpec(fullname, self._loader, origin="modeltap", is_package=is_package(fullname))


def install() -> None:
    """Make the original's module names resolve to modeltap in this process.

    Modules of the original that are already imported are replaced, on their parents too; a name that
    somebody took out of them before (``from azureml.monitoring import ...``) stays what it was, so
    call this before the scoring file is imported.
    """
    first = next((finder for finder in sys.meta_path if isinstance(finder, Aliases)), None)
    if first is None:
        first = Aliases()
        sys.meta_path.append(StandIns(first))
    else:
        sys.meta_path.remove(first)
    sys.meta_path.insert(0, first)
    _replace_imported(first)


def installed_at(name: str) -> str:
    """Where a module is installed, asked without importing anything; empty when it is not."""
    search: list[str] | None = None
    for depth in range(1, name.count(".") + 1):
        package = ".".join(name.split(".")[:depth])
        found = PathFinder.find_spec(package, search)
        if found is None or found.submodule_search_locations is None:
            return ""
        search = pkgutil.extend_path(list(found.submodule_search_locations), package)
    found = PathFinder.find_spec(name, search)
    if found is None:
        return ""
    return found.origin or ", ".join(found.submodule_search_locations or ())


def is_stand_in(module: ModuleType) -> bool:
    """Whether a module was made by these finders, as an alias or as a stand-in."""
    spec = getattr(module, "__spec__", None)
    return spec is not None and isinstance(spec.loader, Aliases)


def _replace_imported(finder: Aliases) -> None:
    originals = [name for name in list(sys.modules) if _is_original(name)]
    if not originals:
        return
    finder.report()
    for name in originals:
        del sys.modules[name]
    for name in sorted(set(originals) & set(ALIASES)):
        importlib.import_module(name)  # sets the attribute on the parent too


def _is_original(name: str) -> bool:
    below = any(name == root or name.startswith(f"{root}.") for root in roots())
    module = sys.modules.get(name)
    return below and module is not None and not is_stand_in(module)
