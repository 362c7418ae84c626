"""What the agent's tests share."""

from __future__ import annotations

import pytest

from support.agents import Host


@pytest.fixture
def host(tmp_path):
    """A host with an empty spool and an empty store."""
    host = Host(tmp_path)
    yield host
    host.close()
