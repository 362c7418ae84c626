from __future__ import annotations

import asyncio
import contextvars
import threading
from pathlib import Path

import pytest

from modeltap.errors import SettingsError
from modeltap.serving.worker import Outcome, Worker

SCRIPT = """
import threading
THREADS = [threading.get_ident()]
def init():
    THREADS.append(threading.get_ident())
def run(data):
    THREADS.append(threading.get_ident())
    if data == "exit": raise SystemExit(3)
    if data == "stop": raise StopIteration
    return [data, *THREADS]
"""
caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller")


def worker_of(folder: Path, text: str) -> Worker:
    (folder / "score.py").write_text(text)
    return Worker(str(folder / "score.py"))


def outcomes(worker: Worker, *data: str) -> list[Outcome]:
    async def all_at_once() -> list[Outcome]:
        return await asyncio.gather(*(worker.call({"data": item}) for item in data))

    return asyncio.run(all_at_once())


def test_loading_init_and_run_happen_on_one_thread_of_their_own(tmp_path: Path):
    worker = worker_of(tmp_path, SCRIPT)
    *_, last = outcomes(worker, *map(str, range(50)))
    threads = set(last.value[1:])
    assert len(last.value) == 1 + 2 + 50
    assert len(threads) == 1
    assert threads.isdisjoint({threading.get_ident()})
    worker.close()
    worker.close()


def test_whatever_run_raises_is_an_outcome_and_the_next_call_goes_on(tmp_path: Path):
    worker = worker_of(tmp_path, SCRIPT)
    ended, stopped, fine = outcomes(worker, "exit", "stop", "fine")
    assert isinstance(ended.error, SystemExit)
    assert isinstance(stopped.error, StopIteration)
    assert (fine.error, fine.value[0]) == (None, "fine")
    assert fine.milliseconds >= 0
    worker.close()


def test_the_callers_context_comes_along(tmp_path: Path):
    worker = worker_of(tmp_path, f"from {__name__} import caller\ndef run(data): return caller.get('nobody')")

    async def ask(name: str) -> object:
        caller.set(name)
        return (await worker.call({"data": ""})).value

    async def both() -> list[object]:
        return await asyncio.gather(ask("one"), ask("two"))

    assert asyncio.run(both()) == ["one", "two"]
    worker.close()


def test_what_the_file_raises_while_it_starts_is_raised(tmp_path: Path):
    with pytest.raises(ZeroDivisionError):
        worker_of(tmp_path, "def init(): 1 / 0\ndef run(data): pass")
    with pytest.raises(SystemExit):
        worker_of(tmp_path, "raise SystemExit('no')")
    with pytest.raises(SettingsError, match="no function run"):
        worker_of(tmp_path, "run = 1")
