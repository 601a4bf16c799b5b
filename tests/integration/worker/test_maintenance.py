"""Many worker processes share the looking after all jobs, and miss nobody's death."""

import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Job, WorkerProcess
from jobs.queue.signal import CHANNEL
from jobs.queue.submit import NewJob, submit
from jobs.worker.looked import read_looked
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

SCAN_SECONDS = 1.0
PROCESSES = 4


def start(workers: Workers, number: int) -> list[WorkerUnderTest]:
    """Workers that have all counted each other."""
    scan = str(SCAN_SECONDS)
    started = [workers.start("--queue", "high", JOB_RETRY_SCAN_SECONDS=scan) for _ in range(number)]
    counted = WorkerProcess.objects.values_list("started_at", flat=True).latest("started_at")
    wait_until(
        lambda: not WorkerProcess.objects.filter(seen_at__lt=counted).exists(), "all were counted"
    )
    return started


@pytest.fixture
def listening(workers: Workers) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Hears what workers tell each other."""
    with psycopg.connect(workers.database_url, autocommit=True) as own:
        own.execute(f"LISTEN {CHANNEL}")
        yield own


def test_workers_look_in_turn(
    workers: Workers, listening: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    start(workers, PROCESSES)
    words = (one for one in listening.notifies() if read_looked(one.payload) is not None)
    next(words)
    began = time.monotonic()
    for _ in range(10):
        next(words)
    # Each for itself they would look more than five times a second.
    assert 10 / (time.monotonic() - began) < 0.7 * PROCESSES * 1.3 / SCAN_SECONDS


def test_due_jobs_start_in_time_after_most_workers_died(workers: Workers) -> None:
    started = start(workers, PROCESSES)
    # As if there had been a hundred: their rows outlive them by a lease time, and here by more.
    WorkerProcess.objects.bulk_create(
        WorkerProcess(
            name=f"gone:{number}",
            version="",
            pools={"high": 4},
            seen_at=timezone.now() + timedelta(hours=1),
        )
        for number in range(96)
    )
    lasting = WorkerProcess.objects.get(name__endswith=f":{started[0].pid}")
    wait_until(
        lambda: WorkerProcess.objects.filter(
            id=lasting.id, seen_at__gt=lasting.seen_at + timedelta(seconds=2)
        ).exists(),
        "it counts a hundred",
    )
    now = timezone.now()
    due = [
        submit(
            NewJob("noop", priority=9, scheduled_at=now + timedelta(seconds=0.5 + 0.37 * number))
        ).id
        for number in range(20)
    ]
    wait_until(lambda: Job.objects.filter(id=due[2], status="COMPLETED").exists(), "some are done")
    for worker in started[1:]:
        worker.send(signal.SIGKILL)
    jobs = wait_final(*due)
    late = [(one.started_at - one.scheduled_at).total_seconds() for one in jobs]  # type: ignore[operator]
    assert max(late) < SCAN_SECONDS, late


def test_jobs_of_the_dead_run_again_in_time_when_few_are_left(
    workers: Workers, tmp_path: object
) -> None:
    started = start(workers, PROCESSES)
    job = submit(NewJob("hold", priority=9, parameters={"folder": str(tmp_path), "deaf": True}))
    wait_until(lambda: Job.objects.filter(id=job.id, status="IN_PROGRESS").exists(), "it runs")
    running = Job.objects.get(id=job.id)
    for worker in started:
        if running.worker.endswith(f":{worker.pid}") or worker in started[2:]:
            worker.send(signal.SIGKILL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        killed_at = cursor.fetchone()[0]
    wait_until(
        lambda: Job.objects.filter(id=job.id, lost_leases=1, status="IN_PROGRESS").exists(),
        "it runs again",
    )
    again = Job.objects.get(id=job.id)
    assert again.started_at is not None
    assert again.started_at - killed_at < timedelta(seconds=2 + 2)
