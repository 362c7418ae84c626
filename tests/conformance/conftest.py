"""Every test here runs on every store."""

from __future__ import annotations

import pytest

from modeltap.stores.base import Store
from support.backends import BACKENDS, Backend


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path) -> Backend:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def store(backend: Backend) -> Store:
    return backend.open()
