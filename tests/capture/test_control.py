"""flush, close and stats, with and without something to speak of."""

from __future__ import annotations

import shutil

import pytest

import modeltap
from modeltap import ModelDataCollector
from support.pythons import python
from support.spooled import Spooled, Start

COUNTERS = {"accepted", "off", "sampled_out", "unpaired_rows", "width_mismatch", "shipped", "quarantined", "volatile"}


def test_without_a_collector_there_is_nothing_to_wait_for_and_nothing_to_count(start: Start):
    start()
    assert modeltap.flush(0.0)
    assert modeltap.flush(0.0, durable=True)
    stats = modeltap.stats()
    assert {stats[name] for name in COUNTERS} == {0}
    assert (stats["rejected"], stats["dropped"], stats["collections"], stats["problem"]) == ({}, {}, {}, "")
    modeltap.close()
    modeltap.close()


def test_asking_opens_nothing(start: Start):
    spooled = start()
    modeltap.stats()
    modeltap.flush()
    modeltap.close()
    assert not spooled.root.exists()


def test_the_counters_are_plain_values_by_collection_and_in_all(spooled: Spooled):
    ModelDataCollector("a", "inputs").collect([[1], [2]])
    ModelDataCollector("b", "inputs", feature_names=["x"]).collect([[1, 2]])
    ModelDataCollector("b", "inputs").collect(object())
    stats = modeltap.stats()
    assert set(stats) == COUNTERS | {"rejected", "dropped", "collections", "problem"}
    assert (stats["accepted"], stats["width_mismatch"], stats["rejected"]) == (3, 1, {"unsupported_type": 1})
    assert stats["collections"]["a/default/inputs"]["accepted"] == 2
    stats["collections"]["a/default/inputs"]["rejected"]["x"] = 1
    stats["rejected"].clear()
    assert modeltap.stats()["rejected"] == {"unsupported_type": 1}


def test_without_a_shipper_a_flush_says_so_and_a_durable_one_is_content_with_the_disk(spooled: Spooled):
    ModelDataCollector("m", "inputs").collect([1])
    assert not modeltap.flush(0.05)
    assert modeltap.flush(0.05, durable=True)


def test_a_spool_that_is_gone_is_told_and_nothing_raised(spooled: Spooled, caplog: pytest.LogCaptureFixture):
    ModelDataCollector("m", "inputs").collect([1])
    shutil.rmtree(spooled.root)
    assert not modeltap.flush(0.05)
    modeltap.stats()
    modeltap.close()
    assert "shipped later" in caplog.text
    assert "rows are not affected" in caplog.text


def test_closing_keeps_what_was_collected(spooled: Spooled):
    ModelDataCollector("m", "inputs").collect([1])
    modeltap.close()
    modeltap.close()
    assert spooled.values() == [(1,)]
    assert modeltap.stats()["accepted"] == 0


def test_the_end_of_the_interpreter_closes_and_says_nothing(start: Start):
    spooled = start()
    script = """
import atexit, modeltap
collector = modeltap.ModelDataCollector("m", "inputs")
class Late:
    def __del__(self):
        collector.collect(["from __del__"])
late = Late()
atexit.register(lambda: collector.collect(["at exit"]))
collector.collect(["first"])
"""
    ended = python(script)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    found = [values[0] for values in spooled.values()]
    assert found[:2] == ["first", "at exit"]


def test_the_hosts_signal_handlers_stay_as_they_are(start: Start):
    start()
    script = """
import signal, threading, modeltap
names = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD]
before = [signal.getsignal(name) for name in names]
made = []
thread = threading.Thread(target=lambda: made.append(modeltap.ModelDataCollector("m", "inputs").collect([1])))
thread.start(); thread.join()
modeltap.flush(0.01); modeltap.close()
print(before == [signal.getsignal(name) for name in names], len(made[0]))
"""
    assert python(script).out == "True 8\n"
