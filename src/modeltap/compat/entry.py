"""An entry script that puts the aliases on and then hands over to the user's scoring file.

For hosts that load a scoring file by its path and cannot be started through ``modeltap run``, such as
the original's own server. One variable is enough when the scoring file is called ``score.py`` or
``main.py``::

    AZUREML_ENTRY_SCRIPT=$(python -m modeltap.compat.entry)     # prints this file's path

The scoring file is ``MODELTAP_ENTRY_SCRIPT`` (a path, or a name in the folders below), else the first
``score.py`` or ``main.py`` in ``$AML_APP_ROOT/$AZUREML_SOURCE_DIRECTORY``, ``$AML_APP_ROOT`` and the
working directory. Where a host's setting cannot be changed, one line in the file that it loads does
the same: ``from modeltap.compat.entry import init, run``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from modeltap.compat import script
from modeltap.errors import SettingsError

HOST_VARIABLE = "AZUREML_ENTRY_SCRIPT"
NAMES = ("score.py", "main.py")


def scoring_file(environment: Mapping[str, str]) -> Path:
    """Find the user's scoring file by the rule above.

    Raises:
        SettingsError: there is none.
    """
    folders = _folders(environment)
    given = environment.get(script.VARIABLE, "")
    # The host's own setting names this file, or one that imports it: neither may load itself.
    wrappers = [Path(__file__), *(Path(folder, environment.get(HOST_VARIABLE, "")) for folder in folders)]
    found = script.find([given] if given else NAMES, folders, wrappers)
    if found is not None:
        return found
    looked_for = given or " or ".join(NAMES)
    raise SettingsError(
        f"loading the scoring file: no {looked_for} in {', '.join(folders)}; set {script.VARIABLE} to the path of the file "
        "that holds init() and run()"
    )


def _folders(environment: Mapping[str, str]) -> list[str]:
    root, source = environment.get("AML_APP_ROOT", ""), environment.get("AZUREML_SOURCE_DIRECTORY", "")
    named = [os.path.join(root, source) if root and source else "", root, os.getcwd()]
    return list(dict.fromkeys(folder for folder in named if folder))


if __name__ == "__main__":
    print(os.path.abspath(__file__))  # noqa: T201  the path is what this command is for
else:
    _script = script.load(scoring_file(os.environ))
    init, run = _script.init, _script.run
