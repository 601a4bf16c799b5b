"""Pick-up latency: from a job's commit to the first line of its processor, on an idle system.

    python -m bench.pickup                  # NOTIFY, Redis and polling only, 200 jobs each
    python -m bench.pickup --jobs 50 --json

Figures in milliseconds, on one machine, one job at a time.
"""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

from bench.environment import percentiles, prepared, say, worker


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200, help="jobs a signal (default 200)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    with prepared() as folder:
        figures = _measure(folder, arguments.jobs)
    if arguments.json:
        json.dump(figures, sys.stdout)
        return
    for name, figure in figures.items():
        print(f"{name:<8}" + "".join(f"  {key} {value:8.2f} ms" for key, value in figure.items()))


def _measure(folder: Path, jobs: int) -> dict[str, dict[str, float]]:
    from tests.redis_server import RedisServer

    redis = RedisServer(folder)
    redis.start()
    settings = {
        "notify": {"WAKEUP_NOTIFY": "True", "REDIS_URL": ""},
        "redis": {"WAKEUP_NOTIFY": "False", "REDIS_URL": redis.url},
        "poll": {"WAKEUP_NOTIFY": "False", "REDIS_URL": ""},
    }
    try:
        return {
            name: percentiles(latencies(folder, jobs, name, **one))
            for name, one in settings.items()
        }
    finally:
        redis.kill()


def latencies(folder: Path, jobs: int, name: str, **environment: str) -> list[float]:
    """Milliseconds from commit to start of so many jobs, one at a time."""
    from django.conf import settings

    from jobs.queue.signal import announcer

    announcer.close()
    settings.WAKEUP_NOTIFY = environment["WAKEUP_NOTIFY"] == "True"
    settings.REDIS_URL = environment["REDIS_URL"]
    pipe = folder / f"{name}.pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDWR)
    say(f"{name}: {jobs} jobs")
    # Without a signal the wait depends on where in the poll interval the job comes.
    pause = settings.WORKER_POLL_SECONDS if name == "poll" else 0.02
    found: list[float] = []
    with worker("--queue", "high", **environment), os.fdopen(reading, buffering=1) as lines:
        for number in range(-10, jobs):
            time.sleep(random.uniform(0.0, pause))
            committed = _submit(number, pipe)
            latency = (int(lines.readline().split()[1]) - committed) / 1e6
            if number >= 0:
                found.append(latency)
    return found


def _submit(number: int, pipe: Path) -> int:
    from django.db import transaction

    from jobs.queue.submit import NewJob, submit

    committed: list[int] = []
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.clock_gettime_ns(time.CLOCK_MONOTONIC)))
        submit(NewJob("stamp", parameters={"number": number, "pipe": str(pipe)}, priority=9))
    return committed[0]


if __name__ == "__main__":
    main()
