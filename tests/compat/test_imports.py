"""The aliases, each in a fresh Python, beside packages that are installed in every way there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from modeltap.compat.imports import installed_at
from support.pythons import python

PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
WAYS = {"pkgutil": PKGUTIL, "plain": "", "namespace": None}

SHOW = """
import azureml.monitoring, azureml.ai.monitoring
from azureml.monitoring import ModelDataCollector
from azureml.monitoring.modeldatacollector import ModelDataCollector as same
from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.collector import Collector as same_collector
from azureml.ai.monitoring.context import BasicCorrelationContext, CorrelationContext, get_context
import azureml.ai.monitoring.context.context
print(ModelDataCollector.__module__, same is ModelDataCollector, Collector.__module__, same_collector is Collector)
"""
RESOLVED = "modeltap.capture.collector True modeltap.compat.collector True\n"
INSTALL = "import modeltap.compat\nmodeltap.compat.install()\n"


def write(folder: Path, files: dict[str, str | None]) -> Path:
    """A folder of modules; None for a folder without ``__init__``."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            file.write_text(text)
    return folder


def installed(folder: Path, way: str) -> Path:
    """The original's packages beside azureml-core, as installers put them."""
    init = WAYS[way]
    original = "class ModelDataCollector: pass\n"
    return write(
        folder,
        {
            "azureml/__init__.py": init,
            "azureml/ai/__init__.py": init,
            "azureml/core/__init__.py": "from azureml.core.model import Model\nWorkspace = 'the real one'\n",
            "azureml/core/model.py": "class Model:\n    get_model_path = 'the real one'\n",
            "azureml/monitoring/__init__.py": "from .modeldatacollector import *\n",
            "azureml/monitoring/modeldatacollector.py": original,
            "azureml/ai/monitoring/__init__.py": "from .collector import Collector\n",
            "azureml/ai/monitoring/collector.py": "class Collector: pass\n",
            "azureml/ai/monitoring/payload.py": "",
            "azureml/ai/other.py": "",
        },
    )


def test_the_names_resolve_where_nothing_of_the_original_is_installed():
    ended = python(INSTALL + SHOW)
    assert (ended.out, ended.err) == (RESOLVED, "")


@pytest.mark.parametrize("way", WAYS)
def test_installed_originals_lose_and_one_log_line_says_so(way: str, tmp_path: Path):
    ended = python("import logging\nlogging.basicConfig()\n" + INSTALL + SHOW, paths=[installed(tmp_path, way)])
    assert ended.out == RESOLVED
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert "azureml.monitoring (" in lines[0]
    assert "azureml.ai.monitoring (" in lines[0]
    assert str(tmp_path) in lines[0]


@pytest.mark.parametrize("way", WAYS)
def test_every_other_package_below_azureml_stays_visible(way: str, tmp_path: Path):
    script = INSTALL + SHOW + "import azureml.ai.other\nfrom azureml.core import Workspace, Model\n"
    ended = python(script + "print(Workspace, Model.get_model_path)", paths=[installed(tmp_path, way)])
    assert ended.out == RESOLVED + "the real one the real one\n"


@pytest.mark.parametrize("way", WAYS)
def test_packages_in_two_folders_are_both_found(way: str, tmp_path: Path):
    first = write(tmp_path / "a", {"azureml/__init__.py": WAYS[way], "azureml/core/__init__.py": "Workspace = 1"})
    second = write(tmp_path / "b", {"azureml/__init__.py": WAYS[way], "azureml/train/__init__.py": "Run = 2"})
    script = INSTALL + SHOW + "from azureml.core import Workspace\nfrom azureml.train import Run\nprint(Workspace, Run)"
    assert python(script, paths=[first, second]).out == RESOLVED + "1 2\n"


def test_originals_that_are_already_imported_are_replaced(tmp_path: Path):
    script = "import azureml.monitoring, azureml.ai.monitoring.payload, azureml.core\n"
    after = """
import azureml
print(azureml.monitoring.ModelDataCollector.__module__, azureml.ai.monitoring.Collector.__module__)
print(azureml.core.Workspace)
try:
    import azureml.ai.monitoring.payload
except ModuleNotFoundError as error:
    print(error.name)
"""
    ended = python(script + INSTALL + after + SHOW, paths=[installed(tmp_path, "pkgutil")])
    assert ended.out == (
        "modeltap.capture.collector modeltap.compat.collector\nthe real one\nazureml.ai.monitoring.payload\n" + RESOLVED
    )


def test_installing_twice_changes_nothing():
    script = INSTALL + SHOW + "import sys\nkept, found = ModelDataCollector, list(sys.meta_path)\n"
    again = INSTALL + "from azureml.monitoring import ModelDataCollector\n"
    assert python(script + again + "print(ModelDataCollector is kept, sys.meta_path == found)").out == (
        RESOLVED + "True True\n"
    )


def test_azureml_core_is_found_even_when_its_folder_comes_later(tmp_path: Path):
    folder = installed(tmp_path, "pkgutil")
    script = INSTALL + SHOW + f"import sys\nsys.path.append({str(folder)!r})\n"
    ended = python(script + "from azureml.core import Workspace\nprint(Workspace)")
    assert ended.out == RESOLVED + "the real one\n", ended.err


def test_a_module_that_nobody_has_is_missing_as_always():
    script = INSTALL + "import azureml\nfor name in ('azureml.train', 'azureml.ai.monitoring.payload', 'azure'):\n"
    ended = python(script + "    try: __import__(name)\n    except ModuleNotFoundError as error: print(error)")
    assert ended.out.splitlines()[0] == "No module named 'azureml.train'"
    assert "azureml.ai.monitoring.payload" in ended.out.splitlines()[1]


def test_the_stand_in_of_azureml_core_knows_the_model_path_and_nothing_else(tmp_path: Path):
    (tmp_path / "m.txt").touch()
    script = INSTALL + "from azureml.core.model import Model\nfrom azureml.core import Model as same\n"
    script += "print(Model.get_model_path('m.txt'), Model is same)\nfrom azureml.core import Workspace\n"
    ended = python(script, AZUREML_MODEL_DIR=str(tmp_path))
    assert ended.out == f"{tmp_path / 'm.txt'} True\n"
    assert "cannot import name 'Workspace'" in ended.err


def test_installing_loads_no_part_of_the_collector():
    script = INSTALL + "import sys\nprint([name for name in sys.modules if name.startswith('modeltap.capture')])"
    assert python(script).out == "[]\n"


def test_asking_where_a_module_is_installed_imports_nothing(tmp_path: Path):
    write(tmp_path, {"loud/__init__.py": "raise SystemExit('imported')", "loud/inner/__init__.py": ""})
    ended = python(
        "from modeltap.compat.imports import installed_at\nprint(installed_at('loud.inner'), installed_at('loud.none'))",
        paths=[tmp_path],
    )
    assert ended.out == f"{tmp_path / 'loud/inner/__init__.py'} \n"
    assert installed_at("azureml_that_nobody_has.monitoring") == ""
