"""What the tests of shipping share."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def quick_path():
    """A folder for hundreds of small spools: in memory where the system has that."""
    folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    yield folder
    shutil.rmtree(folder)
