"""Hosts for the proofs with real processes."""

from __future__ import annotations

import pytest

from support.hosts import Host


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path)
    yield made
    made.close()
