"""Many worker processes at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.environment import PROJECT, say

BATCH = 4  # more at once would only wait for each other's imports
START_SECONDS = 120
STOP_SECONDS = 60


@contextmanager
def crew(count: int, *arguments: str) -> Iterator[list[int]]:
    """So many `run_workers` processes that serve; their process ids."""
    from tests.waiting import wait_until

    processes: list[subprocess.Popen[bytes]] = []
    try:
        while len(processes) < count:
            processes += [_start(arguments) for _ in range(min(BATCH, count - len(processes)))]
            wait_until(partial(_serve, len(processes)), "they serve", seconds=START_SECONDS)
        say(f"{count} worker processes serve")
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(STOP_SECONDS)


def _serve(count: int) -> bool:
    from jobs.models import WorkerProcess

    return WorkerProcess.objects.count() == count


def _start(arguments: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_workers", *arguments], cwd=PROJECT, env=os.environ
    )
