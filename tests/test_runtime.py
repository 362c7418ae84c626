"""What one process has open, from start to close."""

from __future__ import annotations

import threading

from modeltap.core.settings import resolve
from modeltap.runtime import Runtime


def shippers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "modeltap-shipper"]


def test_flush_and_housekeeping_that_ask_at_once_start_one_shipper_and_close_ends_it(tmp_path):
    places = {"MODELTAP_STORE": str(tmp_path / "store"), "MODELTAP_SPOOL": str(tmp_path / "spool")}
    for _ in range(5):
        runtime = Runtime(resolve({**places, "MODELTAP_SHIPPER": "thread"}))
        runtime.start()
        assert runtime.flush(30.0, durable=False)
        assert len(shippers()) == 1
        runtime.close()
        assert shippers() == []
