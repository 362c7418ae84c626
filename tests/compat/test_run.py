"""``modeltap run``: real commands and their children."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from modeltap.compat.run import SITE, resolved, with_aliases
from modeltap.errors import SettingsError
from support.pythons import command, python

RUN = "import sys\nfrom modeltap.compat.run import run\nsys.exit(run(sys.argv[1:]))"
SAYS = "from azureml.monitoring import ModelDataCollector as m; print(m.__module__)"
CHILD = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {SAYS!r}]))"
OURS = "modeltap.capture.collector\n"


def test_a_python_command_has_the_aliases_on():
    ended = python(RUN, sys.executable, "-c", SAYS)
    assert (ended.out, ended.err, ended.code) == (OURS, "", 0)


def test_a_python_child_has_them_on_too():
    assert python(RUN, sys.executable, "-c", CHILD).out == OURS


def test_a_script_and_a_module_run_as_they_do_without_it(tmp_path: Path):
    (tmp_path / "job.py").write_text(f"import sys\n{SAYS}\nprint(sys.argv[1:])")
    script = python(RUN, sys.executable, str(tmp_path / "job.py"), "--flag", "a b")
    bare = python(RUN, str(tmp_path / "job.py"), "--flag", "a b")
    module = python(RUN, sys.executable, "-m", "job", "--flag", "a b", paths=[tmp_path])
    assert script.out == bare.out == module.out == OURS + "['--flag', 'a b']\n"


def test_the_exit_code_is_the_commands_own():
    assert python(RUN, sys.executable, "-c", "raise SystemExit(42)").code == 42
    assert python(RUN, sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").code == -9


def test_the_next_sitecustomize_runs_as_well_and_nothing_of_ours_is_left_on_the_path(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import os\nHERE = 'the next one'\n")
    script = "import sys, sitecustomize; print(sitecustomize.HERE, [p for p in sys.path if p.endswith('site')])"
    assert python(RUN, sys.executable, "-c", script, paths=[tmp_path]).out == "the next one []\n"


def test_run_within_run_is_one_run():
    ended = python(RUN, sys.executable, "-c", RUN, sys.executable, "-c", SAYS)
    assert (ended.out, ended.err) == (OURS, "")


def test_a_python_that_has_no_modeltap_says_so_and_goes_on():
    outside = sys._base_executable  # of the virtual environment, which may have modeltap installed
    ended = command([outside, "-c", "print('scored')"], PYTHONPATH=SITE)
    assert ended.out == "scored\n"
    assert "cannot import modeltap" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_command_that_is_no_python_is_left_alone():
    assert python(RUN, "sh", "-c", "echo $0 $1; exit 3", "one", "two").out == "one two\n"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "none was given; write modeltap run -- COMMAND"),
        (["no-such-program"], "running no-such-program: there is no"),
    ],
)
def test_a_command_that_cannot_be_run_is_explained(argv: list[str], text: str):
    with pytest.raises(SettingsError, match=text):
        resolved(argv, os.environ)


def test_a_file_that_is_no_program_is_explained(tmp_path: Path):
    file = tmp_path / "noprogram"
    file.write_bytes(b"\x00\x01")
    file.chmod(0o755)
    ended = python(RUN, str(file))
    assert ended.code == 1
    assert "check that it is a program" in ended.err


def test_the_environment_keeps_what_was_in_it_and_its_empty_places():
    given = {"PYTHONPATH": os.pathsep.join(["/one", "", SITE]), "A": "b"}
    assert with_aliases(given) == {"PYTHONPATH": os.pathsep.join([SITE, "/one", ""]), "A": "b"}
    assert with_aliases({}) == {"PYTHONPATH": SITE}
