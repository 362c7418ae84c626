"""What a detached agent says is bounded, and goes nowhere else."""

from __future__ import annotations

from support.pythons import python

SCRIPT = """
import logging, os, sys
from modeltap.agent.log import log_to_file, redirect_output
redirect_output(sys.argv[1], 0o600)
log_to_file(sys.argv[1])
print("printed")
for number in range(4000):
    logging.getLogger("modeltap.agent").warning("%d %s", number, "x" * 1000)
sys.exit(0 if sys.stdin.read() == "" else 1)
"""


def test_the_log_keeps_two_files_of_a_mebibyte(tmp_path):
    path = tmp_path / "agent.log"
    assert python(SCRIPT, str(path)) == (0, "", "")
    files = sorted(found.name for found in tmp_path.iterdir())
    assert files == ["agent.log", "agent.log.1"]
    assert all(found.stat().st_size <= (1 << 20) + 100 for found in tmp_path.iterdir())
    assert "3999 " in path.read_text()
