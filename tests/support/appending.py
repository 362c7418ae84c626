"""A writer that may be killed at any instant: numbered batches, an intent before each, the question after it.

As a script: ``python appending.py URL PATH WRITER BATCHES INTENT``. It commits the batches 0 .. BATCHES-1 of
one writer, each once, goes on where its intent file says it was, and prints a line for each batch that is in.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

from modeltap.errors import Conflict, StoreUnavailable
from modeltap.stores.base import Store

HEADER = b"writer,batch,row\r\n"
METADATA = {"schema": "0123456789abcdef"}
ROWS = 20


def rows_of(writer: str, batch: int) -> bytes:
    """The bytes of one batch; some are long, so that a kill may fall into the middle of a write."""
    return b"".join(b"%s,%d,%d%s\r\n" % (writer.encode(), batch, row, b"x" * (batch % 7 * 300)) for row in range(ROWS))


def append_all(store: Store, path: str, writer: str, batches: int, intent: Path | None = None) -> None:
    """Commit all batches of a writer, beginning where its intent says."""
    done = json.loads(intent.read_bytes()) if intent and intent.exists() else {"batch": 0, "position": None}
    for batch in range(done["batch"], batches):
        position = done["position"] if batch == done["batch"] else None
        _append(store, path, writer, batch, position, intent)
        print("in", batch, flush=True)
    _write(intent, {"batch": batches, "position": None})


def _append(store: Store, path: str, writer: str, batch: int, position: int | None, intent: Path | None) -> None:
    data, batch_id = rows_of(writer, batch), f"{writer}-{batch}"
    while True:
        if position is not None and _holds(store, path, position, data, batch_id):
            return
        position = _committed(store, path)
        _write(intent, {"batch": batch, "position": position})
        try:
            store.append(path, data, position=position, batch_id=batch_id)
            return
        except (Conflict, StoreUnavailable):
            continue


def _holds(store: Store, path: str, position: int, data: bytes, batch_id: str) -> bool:
    digest = sha256(data).hexdigest()
    return store.holds(path, position=position, length=len(data), sha256=digest, batch_id=batch_id)


def _committed(store: Store, path: str) -> int:
    while True:
        info = store.head(path)
        if info is not None:
            return info.size
        try:
            return store.create(path, HEADER, METADATA).size
        except (Conflict, StoreUnavailable):
            continue


def _write(intent: Path | None, document: dict[str, int | None]) -> None:
    if intent is not None:
        beside = intent.with_suffix(".tmp")
        beside.write_text(json.dumps(document))
        os.replace(beside, intent)


if __name__ == "__main__":
    from modeltap.stores.urls import open_store

    url, path, writer, batches, intent = sys.argv[1:]
    append_all(open_store(url), path, writer, int(batches), Path(intent))
