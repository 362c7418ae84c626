"""A scoring process of its own for each test: fresh settings, an empty spool, no shipper, no scope left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path

import pytest

import modeltap
from support.spooled import Spooled

Start = Callable[..., Spooled]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run each test in an empty context, so that no request scope of an earlier one is visible."""
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    Context().run(pyfuncitem.obj, **arguments)
    return True


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start modeltap anew with these variables beside the usual ones; gives what it collects."""

    def start(**variables: str) -> Spooled:
        modeltap.close()
        usual = {
            "MODELTAP_STORE": str(tmp_path / "store"),
            "MODELTAP_SPOOL": str(tmp_path / "spool"),
            "MODELTAP_SHIPPER": "none",
            "MODELTAP_EXIT_FLUSH_SECONDS": "0",
        }
        for name, value in (usual | variables).items():
            monkeypatch.setenv(name, value)
        return Spooled(tmp_path / "spool")

    yield start
    modeltap.close()


@pytest.fixture
def spooled(start: Start) -> Spooled:
    """What modeltap collects with the usual settings."""
    return start()
