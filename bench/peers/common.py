"""The command line of the scripts that run one job queue each.

A script ends with `main(ITS_QUEUE)` and is run by bench/contenders/peer.py:

    python -m bench.peers.NAME setup            # make the tables in BENCH_URL's database
    python -m bench.peers.NAME fill JOBS        # the bulk call; prints jobs/s
    python -m bench.peers.NAME enqueue JOBS     # one at a time; prints jobs/s
    python -m bench.peers.NAME pickup JOBS      # prints milliseconds from commit to start
    python -m bench.peers.NAME work MODE        # serve until SIGTERM
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Protocol, TypedDict

from bench import marks

URL = os.environ.get("BENCH_URL", "")
TEXT = "x" * 180
WARM_UP = 10
# The longest random pause before each job, in seconds, so that nothing is in step with it.
PAUSE = float(os.environ.get("BENCH_PAUSE", "0.02"))


class Payload(TypedDict):
    """The parameters of a no-op job: 200 bytes as JSON."""

    number: int
    text: str


class Queue(Protocol):
    """What a script has to say about its queue."""

    async def setup(self) -> None:
        """Make the tables."""

    async def open(self) -> None:
        """Get ready to submit."""

    async def submit(self, payload: Payload) -> int:
        """Submit one job, by itself; `marks.now()` right after its commit."""

    async def submit_many(self, payloads: list[Payload]) -> None:
        """Submit by the bulk call; where there is none, one by one."""

    async def close(self) -> None:
        """The end of submitting."""

    async def work(self, mode: str) -> None:
        """Serve, as `mode` says: "four" or "best"."""


def main(queue: Queue) -> None:
    """Do what the command line says; on uvloop where it is installed."""
    verb, *rest = sys.argv[1:]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        if verb == "setup":
            runner.run(queue.setup())
        elif verb == "work":
            runner.run(queue.work(rest[0]))
        else:
            print(json.dumps(runner.run(_submissions(queue, verb, int(rest[0])))), flush=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _submissions(queue: Queue, verb: str, jobs: int) -> object:
    await queue.open()
    try:
        if verb == "pickup":
            return await _pickup(queue, jobs)
        payloads = [payload(number) for number in range(jobs)]
        began = time.perf_counter()
        if verb == "fill":
            await queue.submit_many(payloads)
        else:
            for each in payloads:
                await queue.submit(each)
        return jobs / (time.perf_counter() - began)
    finally:
        await queue.close()


def payload(number: int) -> Payload:
    """The parameters of job `number`."""
    return {"number": number, "text": TEXT}


async def _pickup(queue: Queue, jobs: int) -> list[float]:
    """Milliseconds from commit to start, of one job at a time on an idle system."""
    found = []
    # Opened for both: it must not end while no worker has it open.
    with os.fdopen(os.open(marks.PIPE, os.O_RDWR)) as starts:
        for number in range(WARM_UP + jobs):
            await asyncio.sleep(random.uniform(0, PAUSE))
            committed = await queue.submit(payload(number))
            started = int(starts.readline().split()[1])
            if number >= WARM_UP:
                found.append((started - committed) / 1e6)
    return found
