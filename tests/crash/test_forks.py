"""Forks while other threads collect, and pools of forked workers: nothing lost, nothing doubled, no deadlock."""

from __future__ import annotations

from collections import Counter

import pytest

from support import forking
from support.servers import joined

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

FORKS = 200


@pytest.mark.parametrize("shipper", ["process", "thread"])
def test_a_fork_in_the_midst_of_collecting_loses_nothing(host, nightly, shipper):
    forks = 50 * FORKS if nightly else FORKS
    how = {"MODELTAP_SHIPPER": shipper, "MODELTAP_SPOOL_MAX_BYTES": "32MiB"}
    parent, children = map(int, host.run([forking.__file__, forks], seconds=800, **how).split())
    host.drain()
    rows = Counter((row["name"], row["number"]) for row in host.rows())
    own = sum(name.startswith("thread-") for name, _ in rows)
    assert set(rows.values()) == {1}
    assert (own, len(rows) - own) == (parent, children)
    assert children == forks * forking.ROWS
    requests = {row["$RequestId"] for row in host.rows()}
    assert len(requests) == len(rows), "two requests have one id"


TAKE_OVER = """
import os, sys, modeltap
from modeltap.capture.control import flush
collector = modeltap.ModelDataCollector("model", "inputs", feature_names=["name"] + [f"x{k}" for k in range(20)])
def collect(name, rows):
    for row in range(rows):
        collector.collect([[name] + [float(row)] * 20])
collect("parent", 4_000)
shipped, bulk = flush(60), "polars" in sys.modules
parent_lives, end = os.pipe()
if os.fork():
    print(shipped, bulk, flush=True)
    os._exit(0)
os.close(end)
os.read(parent_lives, 1)
collect("child", 4_000)
print(flush(60), flush=True)
"""


def test_a_forked_child_takes_over_shipping_from_a_thread_that_has_used_polars(host):
    said = host.run(["-c", TAKE_OVER], MODELTAP_SHIPPER="thread")
    assert said.split() == ["True", "True", "True"], said
    assert Counter(row["name"] for row in host.rows()) == {"parent": 4_000, "child": 4_000}


POOLS = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import modeltap
inputs = modeltap.ModelDataCollector("model", "inputs", feature_names=["number"])
predictions = modeltap.ModelDataCollector("model", "predictions", feature_names=["doubled"])
def score(number):
    accepted = inputs.collect([[number]]) is not None
    return accepted and predictions.collect([2 * number]) is not None
if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    done = score(0)
    with fork.Pool(4, maxtasksperchild=20) as pool:
        done += sum(pool.map(score, range(1, 300), chunksize=5))
    with ProcessPoolExecutor(3, mp_context=fork) as pool:
        done += sum(pool.map(score, range(300, 500)))
    worker = fork.Process(target=score, args=(500,))
    worker.start()
    worker.join()
    print(done + (worker.exitcode == 0))
"""


def test_workers_of_pools_collect_into_files_of_their_own(host):
    script = host.folder / "pools.py"
    script.write_text(POOLS)
    assert host.run(["-W", "ignore::DeprecationWarning", script]) == "501\n"
    host.drain()
    pairs = joined(host.rows("inputs"), host.rows("predictions"))
    assert sorted(int(row["number"]) for row, _ in pairs) == list(range(501))
    assert all(int(prediction["doubled"]) == 2 * int(row["number"]) for row, prediction in pairs)
    assert len({row["$RequestId"] for row, _ in pairs}) == 501


STARTS = """
import os, signal, sys, threading
from modeltap.spool.child import AgentChild
from modeltap.spool.directory import SpoolDirectory
def start_agents():
    for number in range(40):
        root = f"{sys.argv[1]}/{number}"
        AgentChild(SpoolDirectory.open(root, root), root, root, sys.argv[2]).see_to_it()
thread = threading.Thread(target=start_agents, daemon=True)
thread.start()
children = []
while thread.is_alive() and len(children) < 300:
    child = os.fork()
    if child == 0:
        signal.pause()
    children.append(child)
thread.join(30)
print(thread.is_alive(), len(children) > 10)
for child in children:
    os.kill(child, signal.SIGKILL)
"""


def test_starting_an_agent_does_not_wait_for_workers_that_are_forked_meanwhile(host):
    executable = host.folder / "python-that-ends-at-once"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    said = host.run(["-W", "ignore", "-c", STARTS, host.folder / "spools", executable])
    assert said == "False True\n"
