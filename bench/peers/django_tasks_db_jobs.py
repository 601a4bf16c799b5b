"""django-tasks-db: a worker process does one task at a time, so that four are four processes."""

import os
import signal
import subprocess
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.django_settings"
# Its calls are synchronous, and here nothing else runs on the loop.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django
from django.core.management import call_command

from bench import marks
from bench.peers.common import Payload, main

PROCESSES = 4
WORKER = ["-m", "django", "db_worker", "--no-startup-delay", "--verbosity", "0"]
# Of its polls, in seconds; its default is a second.
INTERVAL = "0.05"


class DjangoTasksDb:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        django.setup()
        call_command("migrate", verbosity=0)

    async def open(self) -> None:
        django.setup()
        from bench.peers.django_tasks import noop

        self._task = noop

    async def submit(self, payload: Payload) -> int:
        self._task.enqueue(**payload)
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        for each in payloads:
            self._task.enqueue(**each)

    async def close(self) -> None:
        """Nothing."""

    async def work(self, mode: str) -> None:
        command = [sys.executable, *WORKER, "--interval", INTERVAL]
        if mode == "best":
            os.environ["BENCH_KEEP_CONNECTIONS"] = "yes"
        processes = [subprocess.Popen(command) for _ in range(PROCESSES)]

        def stop(*_: object) -> None:
            for process in processes:
                process.terminate()

        signal.signal(signal.SIGTERM, stop)
        for process in processes:
            process.wait()


if __name__ == "__main__":
    main(DjangoTasksDb())
