"""Celery with a Redis-protocol broker; late acknowledgement, no result backend."""

import os
import sys

from celery import Celery

from bench import marks
from bench.peers.common import Payload, main

# Its own process does the jobs fastest, one at a time, with many reserved.
OPTIONS = {
    "four": ["--concurrency", "4", "--prefetch-multiplier", "1"],
    "best": ["--pool", "solo", "--prefetch-multiplier", "64"],
}

app = Celery("bench.peers.celery_jobs", broker=os.environ.get("BENCH_REDIS", ""))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop")
def noop(number: int, text: str) -> None:
    """Nothing."""
    marks.started(number)


class CeleryQueue:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        """Nothing."""

    async def open(self) -> None:
        """Nothing."""

    async def submit(self, payload: Payload) -> int:
        noop.apply_async(kwargs=dict(payload))
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        for each in payloads:
            noop.apply_async(kwargs=dict(each))

    async def close(self) -> None:
        app.close()

    async def work(self, mode: str) -> None:
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        command = [sys.executable, "-m", "celery", "-A", "bench.peers.celery_jobs", "worker"]
        command += [*OPTIONS[mode], *quiet]
        os.execv(sys.executable, command)  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main(CeleryQueue())
