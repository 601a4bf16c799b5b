"""The measurements, the same for every contender.

A drain: all jobs are put in first, then one worker process starts. It lasts from the first line of
the first job to the moment when another connection sees no unfinished job. The last job submitted
tells that the end is near; only then is the queue asked, so that asking costs the drain nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path

from bench import marks
from bench.contenders.peer import Failed, Peer
from bench.fifo import Fifo

START_SECONDS = 60.0
DRAIN_SECONDS = 120.0


def drain(peer: Peer, mode: str, folder: Path, *, fresh: bool = True) -> tuple[float, float]:
    """Jobs a second drained, and filled by the bulk call. `fresh`: in a new database.

    Raises Failed, also when not all jobs were completed.
    """
    jobs = peer.modes[mode].jobs
    if fresh:
        peer.fresh()
    before = 0 if fresh else peer.completed() or 0
    filled = peer.script("fill", str(jobs))
    peer.settle()
    fifo = Fifo(folder / "marks")
    try:
        with peer.worker(mode, BENCH_PIPE=str(fifo.path), BENCH_LAST=str(jobs - 1)) as alive:
            taken = seconds(peer, jobs, fifo, alive)
            check_completed(peer, jobs, before)
    finally:
        fifo.close()
    return jobs / taken, filled


def check_completed(peer: Peer, jobs: int, before: int = 0) -> None:
    """Raises Failed unless so many jobs were completed, besides those `before`."""
    done = peer.completed()
    if done is not None and done - before != jobs:
        raise Failed(f"{done - before} of {jobs} jobs were completed: {peer.last_words()}")


def seconds(peer: Peer, jobs: int, fifo: Fifo, alive: Callable[[], None]) -> float:
    """From the first line of the first job until no job is unfinished. Raises Failed."""
    try:
        number, began = fifo.next(START_SECONDS, alive)
        while number != jobs - 1:
            number, other = fifo.next(DRAIN_SECONDS, alive)
            began = min(began, other)
    except TimeoutError as error:
        raise Failed(f"{error}: {peer.last_words()}") from error
    with peer.backlog() as unfinished:
        deadline = time.monotonic() + DRAIN_SECONDS
        pause = 0.001
        while unfinished():
            alive()
            if time.monotonic() > deadline:
                raise Failed(f"jobs are left after {DRAIN_SECONDS:.0f} s: {peer.last_words()}")
            time.sleep(pause)
            pause = min(pause * 1.1, 0.02)
    return (marks.now() - began) / 1e9


def enqueue(peer: Peer) -> float:
    """Jobs a second, submitted one at a time by one client."""
    peer.fresh()
    return float(peer.script("enqueue", str(peer.enqueues)))


def pickup(peer: Peer, folder: Path) -> list[float]:
    """Milliseconds from commit to the first line, one job at a time on an idle system."""
    peer.fresh()
    fifo = Fifo(folder / "marks")
    try:
        with peer.worker("four", BENCH_PIPE=str(fifo.path)):
            return [
                float(each)
                for each in peer.script("pickup", str(peer.pickups), BENCH_PIPE=str(fifo.path))
            ]
    finally:
        fifo.close()
