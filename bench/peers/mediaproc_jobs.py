"""mediaproc itself, in its own environment; DATABASE_URL is set beside BENCH_URL."""

import os
import sys
from typing import TYPE_CHECKING

# Its calls are synchronous, and here nothing else runs on the loop.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django
from django.core.management import call_command

from bench import marks
from bench.peers.common import Payload, main

if TYPE_CHECKING:
    from jobs.queue.submit import NewJob

PRIORITY = 9


class Mediaproc:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        django.setup()
        call_command("migrate", verbosity=0)

    async def open(self) -> None:
        django.setup()

    async def submit(self, payload: Payload) -> int:
        from jobs.queue.submit import submit

        submit(_new(payload))
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        from jobs.queue.submit import submit_many

        submit_many(_new(each) for each in payloads)

    async def close(self) -> None:
        from jobs.queue.signal import announcer

        announcer.close()

    async def work(self, mode: str) -> None:
        if mode == "single":
            os.environ["WORKER_LARGEST_CHUNK"] = "1"
        command = [sys.executable, "manage.py", "run_workers", "--queue", "high"]
        os.execv(sys.executable, command)  # noqa: S606 - the same program, no shell wanted


def _new(payload: Payload) -> "NewJob":
    from jobs.queue.submit import NewJob

    return NewJob("noop", "a.mp4", "avi", {**payload}, PRIORITY)


if __name__ == "__main__":
    main(Mediaproc())
