"""The house itself: public names, what an import loads, what may stand in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import modeltap
from modeltap import errors
from modeltap.cli.program import VERBS
from support.pythons import python

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "modeltap"
MODULES = sorted(SOURCE.rglob("*.py"))
IN_PROCESS = ("capture", "compat", "core", "errors.py", "runtime.py", "spool", "telemetry", "__init__.py", "version.py")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LEFT_OUT = {".git", ".venv", "modeltap-demo", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"}
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".yml", ".yaml", ".json", ".sh", ""}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def our_files() -> list[Path]:
    found = (path for path in ROOT.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts))
    return [path for path in found if path.suffix in TEXT and ".import_linter_cache" not in path.parts]


def imported(path: Path) -> set[str]:
    """The top names of all that a module imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def headings(page: str) -> set[str]:
    return set(re.findall(r"^## `([^`]+)`", text(ROOT / "docs" / "reference" / page), re.MULTILINE))


# ---- public names


def test_the_public_names_are_those_of_the_documentation():
    assert set(modeltap.__all__) == headings("python.md")


def test_every_public_name_is_there_and_describes_itself():
    for name in modeltap.__all__:
        found = getattr(modeltap, name)
        assert isinstance(found, str) or found.__doc__, name


@pytest.mark.parametrize("module", ["errors", "testing", "compat"])
def test_the_names_of_a_public_module_are_there_and_documented(module):
    page = text(ROOT / "docs" / "reference" / "python.md")
    for name in import_module(f"modeltap.{module}").__all__:
        assert getattr(getattr(modeltap, module), name).__doc__, name
        assert re.search(rf"\b{name}\b", page), name


def test_every_error_is_in_the_tree_that_its_module_draws():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.ModeltapError)
        assert name in (errors.__doc__ or "")


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Workspaces"):
        modeltap.Workspaces  # noqa: B018  the access is what is tested


# ---- what an import loads


def test_import_modeltap_loads_the_standard_library_and_two_modules_of_its_own():
    script = "import sys; before = set(sys.modules); import modeltap; print(*sorted(set(sys.modules) - before))"
    loaded = python(script).out.split()
    assert {name for name in loaded if name.startswith("modeltap")} == {"modeltap", "modeltap.version"}
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"modeltap"}


@pytest.mark.parametrize("name", ["ModelDataCollector", "wrap", "Middleware", "WSGIMiddleware", "compat", "flush"])
def test_what_runs_in_the_scoring_process_loads_the_standard_library_only(name):
    script = "import sys; before = set(sys.modules); import modeltap; getattr(modeltap, sys.argv[1]); "
    loaded = python(script + "print(*sorted(set(sys.modules) - before))", name).out.split()
    assert {module.partition(".")[0] for module in loaded} - sys.stdlib_module_names == {"modeltap"}


def test_rooms_inside_the_scoring_process_name_the_standard_library_only():
    allowed = sys.stdlib_module_names | {"modeltap"}
    for path in MODULES:
        if path.relative_to(SOURCE).parts[0] in IN_PROCESS:
            assert imported(path) <= allowed, name_of(path)


# ---- rules of the source


def test_source_has_no_assert_and_no_bare_except():
    for path in MODULES:
        for node in ast.walk(tree(path)):
            assert not isinstance(node, ast.Assert), f"{name_of(path)}:{node.lineno}"
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{name_of(path)}:{node.lineno}"


def test_source_loads_no_code_from_data():
    for path in MODULES:
        assert not imported(path) & {"pickle", "joblib", "dill", "marshal", "shelve", "yaml"}, name_of(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{name_of(path)}:{node.lineno}"


def test_every_module_says_what_it_is():
    for path in MODULES:
        assert ast.get_docstring(tree(path)), name_of(path)


def test_every_module_of_shipping_is_pure_but_those_that_act():
    contracts = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (pure,) = [contract["source_modules"] for contract in contracts if contract["id"] == "pure"]
    modules = {path.stem for path in (SOURCE / "shipping").glob("*.py")} - {"__init__"}
    acting = {module for module in modules if f"modeltap.shipping.{module}" not in pure}
    assert acting == {"bulk", "driver", "encoding"}


# ---- what may stand in the repository


def test_no_registry_and_no_path_of_a_machine_stands_in_the_repository():
    # written in parts, so that this file does not hold what it looks for
    hosts = ["pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "crates" + ".io", "--index" + "-url"]
    places = ["/work" + "/main", "/work" + "/shared", "/tmp" + "/env", "/root" + "/", "shared" + "/design"]
    for path in our_files():
        content = path.read_text(encoding="utf-8", errors="replace")
        for forbidden in (*hosts, *places):
            assert forbidden not in content, f"{name_of(path)}: {forbidden}"


def test_tests_double_nothing_of_our_own_and_leave_nothing_out():
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"skipif", "xfail", "importorskip"}, f"{name_of(path)}:{node.lineno}"
        assert "mock" not in imported(path), name_of(path)
        assert not re.search(r"unittest\.mock|monkeypatch\.setattr\((\"|')?modeltap|pytest\.skip\(", text(path)) or (
            path == Path(__file__)
        ), name_of(path)


# ---- documentation


def test_the_readme_names_both_commands():
    readme = text(ROOT / "README.md")
    assert "make demo" in readme
    assert "make test" in readme


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text(document)):
            assert (document.parent / target).exists(), f"{name_of(document)}: {target}"


def test_every_variable_that_is_read_is_documented():
    variables = set(re.findall(r'"((?:MODELTAP|AML_MODEL_DC)_[A-Z_]+)"', text(SOURCE / "core" / "settings.py")))
    page = text(ROOT / "docs" / "reference" / "environment.md")
    assert len(variables) > 15
    assert {name for name in variables if f"`{name}" not in page} == {"MODELTAP_UNKNOWN_STATE"} & variables


def test_every_verb_and_every_option_is_documented():
    assert {name.replace("_", "-") for name in VERBS} == headings("command-line.md")
    page = text(ROOT / "docs" / "reference" / "command-line.md")
    for name in VERBS:
        verb = import_module(f"modeltap.cli.{name}")
        for option in re.findall(r'"(--[a-z-]+)"', text(Path(verb.__file__))):
            assert option in page, f"{name}: {option}"


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


# ---- how it is built


def test_ci_runs_what_the_readme_says():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in text(script)
    assert "make" in text(script)


@pytest.mark.parametrize("name", ["dev", "spark"])
def test_every_locked_package_has_hashes(name):
    lock = text(ROOT / "requirements" / f"{name}.txt")
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE)
    wanted = re.findall(r"^([a-z][a-z0-9._-]*)$", text(ROOT / "requirements" / f"{name}.in"), re.MULTILINE)
    assert set(wanted) <= set(pinned)
    assert len(re.findall(r"^[a-z0-9].*\\$", lock, re.MULTILINE)) == len(pinned)
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_the_wheel_holds_what_runs_without_the_repository(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, check=True, text=True
    )
    for needed in ("py.typed", "cli/tour/score.py.txt", "cli/tour/train.py.txt", "compat/site/sitecustomize.py"):
        assert f"modeltap/{needed}" in listed.stdout, needed
    assert "tests/" not in listed.stdout
