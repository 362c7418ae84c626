"""The documents stand in a store; here it is one in memory, and the suite of all stores says what else holds."""

from __future__ import annotations

import pytest

from modeltap.core.key import CollectionKey
from modeltap.testing import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def key():
    return CollectionKey("sub", "rg", "ws", "my service", "best/model", "3", "inputs")
