"""A scoring process that forks while its threads collect.

As a script: ``python forking.py FORKS``: four threads collect, change segments, flush and count all the time; the
main thread forks so many children; each collects a few rows, some of them on threads, and ends in one of three
ways. Prints how many rows were accepted, in the children and here.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time

import modeltap

ROWS = 6
SECONDS = 60.0
"""A child that takes longer hangs."""

stop = threading.Event()
accepted = [0, 0, 0, 0]
collectors: list[modeltap.ModelDataCollector] = []


def collect(name: str, number: int) -> bool:
    """Collect a row, in a request of its own."""
    return collectors[0].collect([[name, number]]) is not None


def collect_always(place: int) -> None:
    """One of the threads; its rows tell its name and are numbered."""
    number = 0
    while not stop.is_set():
        accepted[place] += collect(f"thread-{place}", number)
        number += 1
        time.sleep(0.0002)


def ask_always() -> None:
    """Hold the locks that are held now and then."""
    while not stop.is_set():
        modeltap.flush(0.001)
        modeltap.stats()


def be_a_child(name: str) -> int:
    """Collect on this thread and on two others; gives how many rows were accepted."""
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda first=first: found.extend(collect(name, first + k) for k in range(2)))
        for first in (2, 4)
    ]
    for thread in threads:
        thread.start()
    found.extend(collect(name, number) for number in range(2))
    for thread in threads:
        thread.join(SECONDS)
    return sum(found)


def main(forks: int) -> None:
    """Fork."""
    collectors.append(modeltap.ModelDataCollector("model", "inputs", feature_names=["name", "number"]))
    threads = [threading.Thread(target=collect_always, args=(place,), daemon=True) for place in range(4)]
    threads.append(threading.Thread(target=ask_always, daemon=True))
    for thread in threads:
        thread.start()
    children: dict[int, float] = {}
    reading, writing = os.pipe()
    for number in range(forks):
        child = os.fork()
        if child == 0:
            faulthandler.dump_traceback_later(SECONDS / 2)
            os.write(writing, b"%d\n" % be_a_child(f"child-{number}"))
            if number % 3 == 0:
                modeltap.close()
            if number % 3:
                os._exit(0)
            sys.exit(0)
        children[child] = time.monotonic() + SECONDS
        reap(children, at_most=4)
    reap(children, at_most=0)
    stop.set()
    for thread in threads:
        thread.join(SECONDS)
    os.close(writing)
    with open(reading, encoding="ascii") as lines:
        print(sum(accepted), *(sum(map(int, lines)),))


def reap(children: dict[int, float], at_most: int) -> None:
    """Wait until no more than so many children are left."""
    while len(children) > at_most:
        for child, deadline in list(children.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                del children[child]
            if (done and status) or (not done and time.monotonic() > deadline):
                sys.exit(f"child {child} ended with {status}" if done else f"child {child} hangs")
        time.sleep(0.001)


if __name__ == "__main__":
    main(int(sys.argv[1]))
