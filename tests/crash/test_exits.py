"""Every way in which a scoring process ends, in each shipper mode: its rows arrive on the promised road."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.hosts import END_SECONDS, Host, until

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

SCRIPT = """
import os, signal, sys
import modeltap
before = signal.getsignal(signal.SIGTERM)
collector = modeltap.ModelDataCollector("model", "inputs", feature_names=["number"])
for number in range(100):
    collector.collect([[number]])
assert signal.getsignal(signal.SIGTERM) is before is signal.SIG_DFL
how = sys.argv[1]
if how == "sys.exit":
    sys.exit(3)
if how == "exception":
    raise RuntimeError("of the service")
if how == "SIGTERM":
    os.kill(os.getpid(), signal.SIGTERM)
if how == "handler":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(4))
    os.kill(os.getpid(), signal.SIGTERM)
"""
CODES = {"end": 0, "sys.exit": 3, "exception": 1, "SIGTERM": -signal.SIGTERM, "handler": 4}
ORDERLY = ["end", "sys.exit", "exception", "handler"]
NEXT_RUN = "import modeltap; modeltap.ModelDataCollector('model', 'predictions')"


@pytest.fixture
def each(tmp_path):
    """Runs a scenario for several ways to end, each on a host of its own, all at the same time."""
    hosts: list[Host] = []

    def run(hows: Iterable[str], scenario: Callable[[Host, str], None]) -> None:
        pairs = [(Host(tmp_path / how), how) for how in hows]
        hosts.extend(host for host, _ in pairs)
        with ThreadPoolExecutor(len(pairs)) as pool:
            for _ in pool.map(lambda pair: scenario(*pair), pairs):
                pass

    yield run
    for host in hosts:
        host.close()


def end(host: Host, how: str, **variables: str) -> None:
    host.run(["-c", SCRIPT, how], code=CODES[how], **variables)


def numbers(host: Host) -> list[int]:
    return sorted(int(row["number"]) for row in host.rows())


def await_rows(host: Host) -> None:
    until(lambda: host.arrived() >= 100, END_SECONDS, lambda: f"{host.arrived()} rows: {host.status()}")
    assert numbers(host) == list(range(100))


def test_the_agent_outlives_the_service_and_ships_the_rest(each):
    def scenario(host: Host, how: str) -> None:
        end(host, how)
        await_rows(host)

    each(CODES, scenario)


def test_with_an_exit_flush_the_rows_are_there_when_the_process_has_ended(each):
    def scenario(host: Host, how: str) -> None:
        end(host, how, MODELTAP_EXIT_FLUSH_SECONDS="60")
        assert numbers(host) == list(range(100))

    each(ORDERLY, scenario)


def test_a_thread_ships_before_the_process_ends(each):
    def scenario(host: Host, how: str) -> None:
        end(host, how, MODELTAP_SHIPPER="thread")
        assert numbers(host) == list(range(100))
        assert host.agents() == []

    each(ORDERLY, scenario)


def test_what_a_thread_had_no_time_for_is_shipped_by_the_next_run(each):
    def scenario(host: Host, how: str) -> None:
        no_time = {"MODELTAP_EXIT_FLUSH_SECONDS": "0", "MODELTAP_FLUSH_SECONDS": "60"}
        end(host, how, MODELTAP_SHIPPER="thread", **no_time)
        host.run(["-c", NEXT_RUN], MODELTAP_SHIPPER="thread")
        await_rows(host)

    each(["end", "SIGTERM"], scenario)


def test_without_a_shipper_the_rows_wait_for_an_agent(each):
    def scenario(host: Host, how: str) -> None:
        end(host, how, MODELTAP_SHIPPER="none", MODELTAP_EXIT_FLUSH_SECONDS="0.2")
        assert (numbers(host), host.agents()) == ([], [])
        host.run(["-m", "modeltap", "agent", "--once"])
        assert numbers(host) == list(range(100))

    each(["end", "exception", "SIGTERM"], scenario)


def test_the_exit_flush_waits_for_an_agent_that_was_started_by_hand(host):
    agent = host.start(["-m", "modeltap", "agent"], MODELTAP_FLUSH_SECONDS="60")
    try:
        end(host, "end", MODELTAP_SHIPPER="none", MODELTAP_EXIT_FLUSH_SECONDS="60")
        assert numbers(host) == list(range(100))
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=60)
        assert agent.returncode == 0, said
    finally:
        agent.kill()
        agent.communicate()
