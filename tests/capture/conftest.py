"""A scoring process of its own for each test: fresh settings, an empty spool, no shipper, no scope left over."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import modeltap
from support.spooled import Refusal, Row, Spooled, Start, Taken, rows_of


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


@pytest.fixture
def taken(spooled: Spooled) -> Taken:
    """Collect one value with a collector of its own; gives the rows that it became."""
    numbers = count()

    def taken(value: Any, **options: Any) -> list[Row]:
        collector = modeltap.ModelDataCollector(f"taken-{next(numbers)}", designation="inputs", **options)
        before = len(spooled.frames())
        assert collector.collect(value) is not None, modeltap.stats()["rejected"]
        assert modeltap.stats()["rejected"] == {}
        return [row for frame in spooled.frames()[before:] for row in rows_of(frame)]

    return taken


@pytest.fixture
def refusal(spooled: Spooled) -> Refusal:
    """Collect one value that nothing can be made of; gives the rows rejected by reason."""
    numbers = count()

    def refusal(value: Any, *user_ids: Any, **options: Any) -> dict[str, int]:
        model = f"refused-{next(numbers)}"
        collector = modeltap.ModelDataCollector(model, designation="inputs", **options)
        before = len(spooled.frames())
        assert collector.collect(value, *user_ids) is None
        assert len(spooled.frames()) == before
        found = modeltap.stats()["collections"]
        rejected: dict[str, int] = found[f"{model}/default/inputs"]["rejected"]
        return rejected

    return refusal
