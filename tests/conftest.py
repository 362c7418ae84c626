"""What every suite shares: no test sees or touches the user's own settings, spool or store; each suite's time is told."""

from __future__ import annotations

import os
from collections import Counter

import hypothesis
import pytest

_FOREIGN = ("MODELTAP_", "AML_", "AZUREML_", "OTEL_", "XDG_")
_FOREIGN_NAMES = ("SERVICE_NAME", "K_SERVICE", "STATE_DIRECTORY", "KUBERNETES_SERVICE_HOST")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--nightly``: the long proofs, with a hundred times the examples."""
    parser.addoption("--nightly", action="store_true", help="run the long proofs")


def pytest_configure(config: pytest.Config) -> None:
    """Examples are drawn from a fixed seed per change, from new ones every night."""
    hypothesis.settings.register_profile("change", deadline=None, derandomize=True, database=None)
    hypothesis.settings.register_profile("nightly", deadline=None, max_examples=10_000, print_blob=True, database=None)
    hypothesis.settings.load_profile("nightly" if config.getoption("--nightly") else "change")


@pytest.fixture(scope="session")
def nightly(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long run: tests that count kills or forks take it by the thousand then."""
    return bool(pytestconfig.getoption("--nightly"))


@pytest.fixture(autouse=True, scope="session")
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory):
    """Settings start from nothing, and what defaults to the user's home goes to a folder of this run."""
    kept = dict(os.environ)
    for name in kept:
        if name.startswith(_FOREIGN) or name in _FOREIGN_NAMES:
            del os.environ[name]
    home = tmp_path_factory.mktemp("home")
    os.environ["XDG_DATA_HOME"] = str(home / "data")
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    yield
    os.environ.clear()
    os.environ.update(kept)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many tests each suite has and how long they took."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if not isinstance(report, pytest.TestReport):
                continue
            suite = _suite(report.nodeid)
            seconds[suite] += report.duration
            tests[suite] += report.when == "call"
    if len(tests) > 1:
        terminalreporter.write_sep("-", "suites")
        for suite in sorted(tests):
            terminalreporter.write_line(f"{suite:<14} {tests[suite]:>5} tests {seconds[suite]:>8.1f} s")


def _suite(nodeid: str) -> str:
    first, _, rest = nodeid.split("::", maxsplit=1)[0].removeprefix("tests/").partition("/")
    return first if rest else "house"
