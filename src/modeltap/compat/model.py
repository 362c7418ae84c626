"""``azureml.core.model.Model`` where azureml-core is not installed: the model's path, no more.

The original keeps a registered model in ``azureml-models/<name>/<version>/<file or folder>``.
``AZUREML_MODEL_DIR`` is ``azureml-models`` when a service has several models, and
``azureml-models/<name>/<version>`` when it has one; locally it is often just a folder of files.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from modeltap.errors import SettingsError

VARIABLE = "AZUREML_MODEL_DIR"


class Model:
    """Stands in for the original's class of this name; it can find a model's files."""

    @staticmethod
    def get_model_path(model_name: str, version: int | str | None = None, _workspace: object = None) -> str:
        """Give the path of a model below ``AZUREML_MODEL_DIR``.

        Args:
            model_name: the name under which the model was registered, or a file or folder.
            version: a version; default: the latest there is.
            _workspace: taken for the original's sake; models are looked for on this host only.

        Returns:
            The path of the model's only file or folder, else of the folder that holds its files.

        Raises:
            SettingsError: the variable is not set, or nothing of that name stands below it.
        """
        del _workspace
        operation = f"finding the model {model_name!r}" + (f", version {version}" if version is not None else "")
        folder = os.environ.get(VARIABLE, "")
        if not folder:
            raise SettingsError(
                f"{operation}: {VARIABLE} is not set; set it to the folder that holds the models, "
                "or install azureml-core to fetch them"
            )
        path = _find(Path(folder), model_name, None if version is None else str(version))
        if path is None:
            raise SettingsError(
                f"{operation}: nothing of that name stands below {VARIABLE}={folder}; "
                "put the model there, or install azureml-core to fetch it"
            )
        return str(path)


def _find(folder: Path, name: str, version: str | None) -> Path | None:
    parts = PurePath(name).parts
    if not parts or PurePath(name).is_absolute() or ".." in parts:
        return None
    if (found := _versioned(folder / name, version)) is not None:
        return found
    if version is None and (folder / name).exists():
        return folder / name
    if folder.parent.name == name and version in (None, folder.name):
        return _only_entry(folder)
    return None


def _versioned(model: Path, version: str | None) -> Path | None:
    versions = [entry.name for entry in model.iterdir() if entry.name.isdigit()] if model.is_dir() else []
    if version is None and versions:
        version = max(versions, key=int)
    if version is None or not (model / version).is_dir():
        return None
    return _only_entry(model / version)


def _only_entry(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    entries = list(folder.iterdir())
    return entries[0] if len(entries) == 1 else folder
