"""A spool that version 1 left behind is shipped by this one, and what is written stays byte for byte the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from modeltap.shipping.batch import decode_file, encode_front
from modeltap.shipping.ledger import encode_line, replay
from modeltap.testing import MemoryStore
from support.shippers import World, data_files

GOLDEN = Path(__file__).parent.parent / "golden" / "spool-1"


class LeftBehind:
    """A copy of the golden spool, as a ``World`` needs it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        shutil.copytree(GOLDEN, folder)
        for name in ("writers", "quarantine"):
            (folder / name).mkdir()
        self.directory = self
        self.path = str(folder)
        self.hash = json.loads((folder / "spool.json").read_text())["hash"]

    def tell(self, progress: object) -> None:
        """Nobody asks."""


@pytest.fixture
def store():
    store = MemoryStore()
    for path, file in json.loads((GOLDEN / "store.json").read_text()).items():
        header, rest = file["text"].split("\r\n", 1)
        store.create(path, f"{header}\r\n".encode(), {"schema": file["schema"]})
        if rest:
            store.append(path, rest.encode(), position=len(header) + 2, batch_id=path)
    return store


def test_the_rest_of_it_is_shipped_once(tmp_path, store):
    World(LeftBehind(tmp_path / "spool"), store).drain()
    cells = {path: [row["a"] for row in rows] for path, rows in data_files(store).items()}
    assert cells == {
        "inputs/2026/11/22/data.csv": ["1.0", "2.0", "3.0"],
        "inputs/2026/11/22/data-1.csv": ["5"],
        "predictions/2026/11/22/data.csv": ["4.0"],
    }
    assert not list((tmp_path / "spool" / "segments").iterdir())
    assert len(list((tmp_path / "spool" / "quarantine").iterdir())) == 1


def test_the_lines_of_its_ledger_are_written_as_they_were():
    lines = (GOLDEN / "ledger").read_bytes()
    records = [json.loads(line.partition(b" ")[2]) for line in lines.splitlines()]
    assert b"".join(map(encode_line, records)) == lines
    assert len(replay(lines).open) == 1
    assert list(replay(lines).snapshot([], [], []))[-1]["record"] == "intent"


def test_the_front_of_its_batch_is_written_as_it_was():
    (path,) = (GOLDEN / "intents").iterdir()
    batch, data = decode_file(path.read_bytes())
    assert encode_front(batch) + data == path.read_bytes()
