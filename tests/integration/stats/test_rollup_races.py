"""The sums are those of the rows, whoever completes, adds up and dies meanwhile."""

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection

from jobs.attempt import Attempt
from jobs.models import DurationHistory, Job, RollupMark
from jobs.outcomes import Failed
from jobs.queue.finish import Finished, finish
from jobs.queue.submit import NewJob, submit_many
from jobs.stats import rollup
from jobs.stats.rollup import roll_up
from tests.ended import newest, rolled
from tests.rows import claim, finished
from tests.waiting import wait_until
from tests.workers import PROJECT, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

MARGIN_SECONDS = 0.5

_MAINTAINER = f"""
import django
django.setup()
from jobs.stats import rollup
rollup.WORTH_SECONDS, rollup.SETTLED_AFTER_SECONDS, rollup.ROWS = 0.0, {MARGIN_SECONDS}, 40
print("adding", flush=True)
while True:
    rollup.roll_up()
"""


class Maintainers:
    """Processes that add up without a pause."""

    def __init__(self) -> None:
        self._all: list[subprocess.Popen[str]] = []

    def start(self, processes: int) -> None:
        """So many, which are at work when this returns."""
        started = [self._start() for _ in range(processes)]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "adding\n"

    def kill_all(self) -> None:
        """SIGKILL, wherever they are."""
        while self._all:
            process = self._all.pop()
            process.kill()
            process.communicate()

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", _MAINTAINER],
            cwd=PROJECT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
                "DATABASE_URL": database_url(),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        self._all.append(process)
        return process


@pytest.fixture
def maintainers() -> Iterator[Maintainers]:
    """None outlives the test."""
    started = Maintainers()
    yield started
    started.kill_all()


class Crowd:
    """Threads that submit and end jobs, one in seven as failed, in batches of any size."""

    def __init__(self) -> None:
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._end, args=[seed]) for seed in range(4)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, with all jobs ended."""
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _end(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._enough.is_set():
            submit_many(NewJob("noop", priority=n % 11) for n in range(100))
            while claimed := claim(chance.randint(1, 12)):
                finish([_ended(one, chance) for one in claimed])
        connection.close()


def _ended(attempt: Attempt, chance: random.Random) -> Finished:
    return finished(attempt, Failed("no")) if chance.random() < 1 / 7 else finished(attempt)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Ends with the test."""
    working = Crowd()
    working.start()
    yield working
    working.stop()


def added_up() -> int:
    """How many ends the totals say."""
    return sum(rolled().values())


def test_sums_are_exact_though_maintainers_die(
    maintainers: Maintainers, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        maintainers.start(3)
        enough = added_up() + 200
        wait_until(lambda: added_up() > enough, "they add up", seconds=120)  # noqa: B023
        maintainers.kill_all()  # one of them is at it
    maintainers.start(2)
    crowd.stop()
    jobs = Job.objects.count()
    wait_until(lambda: added_up() == jobs, "all are added up", seconds=120)
    maintainers.kill_all()
    monkeypatch.setattr(rollup, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(rollup, "SETTLED_AFTER_SECONDS", 0.0)
    while roll_up():
        pass
    rows = Counter(Job.objects.values_list("status", "priority"))
    sums: Counter[tuple[str, int]] = Counter()
    for one in newest():
        sums[one.status, one.priority] += one.jobs
        assert sum(one.runs) == sum(one.waits) == one.jobs
    assert sums == rows
    assert DurationHistory.objects.get().jobs == rolled()["COMPLETED"]
    assert RollupMark.objects.count() == 1
