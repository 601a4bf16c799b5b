"""Many worker processes share the looking after all jobs, and miss nobody's death."""

import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Job, JobAttempt, WorkerProcess
from jobs.queue.signal import CHANNEL, tell_workers
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from jobs.worker.looked import Looked, read_looked
from jobs.worker.maintenance import LONGEST_REST
from tests.rows import claim_one, expire, job_in, new_job
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

SCAN_SECONDS = 1.0
# Of a busy machine, beside what is promised.
SLACK_SECONDS = 10.0
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
    # Each for itself they would say so more than five times a second, and in turn less than twice;
    # but on a machine that is busy with other things they hear of each other late.
    wait_until(
        lambda: _words_a_second(listening) < 0.6 * PROCESSES * 1.3 / SCAN_SECONDS,
        "they look in turn",
        seconds=120,
    )


def _words_a_second(listening: "psycopg.Connection[tuple[object, ...]]") -> float:
    """How often workers say that they have looked, of the next ten times."""
    said = 0
    began = time.monotonic()
    while said < 10:
        for one in listening.notifies(timeout=20, stop_after=1):
            said += read_looked(one.payload) is not None
    return said / (time.monotonic() - began)


def absent(number: int) -> None:
    """Rows as of so many more processes, which stay for an hour."""
    seen_at = timezone.now() + timedelta(hours=1)
    WorkerProcess.objects.bulk_create(
        WorkerProcess(name=f"gone:absent-{each}", version="", pools={"high": 4}, seen_at=seen_at)
        for each in range(number)
    )


def test_due_jobs_start_in_time_after_most_workers_died(workers: Workers) -> None:
    started = start(workers, PROCESSES)
    # As if there had been a thousand: their rows outlive them by a lease time, and here by more.
    # Whoever waited for his turn among so many would be late by minutes.
    absent(1000)
    lasting = WorkerProcess.objects.get(name__endswith=f":{started[0].pid}")
    wait_until(
        lambda: WorkerProcess.objects.filter(
            id=lasting.id, seen_at__gt=lasting.seen_at + timedelta(seconds=2)
        ).exists(),
        "it counts a thousand",
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
    assert max(late) < SCAN_SECONDS + SLACK_SECONDS, late


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
        lambda: Job.objects.filter(id=job.id, lost_leases__gte=1, status="IN_PROGRESS").exists(),
        "it runs again",
    )
    again = Job.objects.get(id=job.id)
    assert again.started_at is not None
    assert again.started_at - killed_at < timedelta(seconds=2 + SCAN_SECONDS + SLACK_SECONDS)


def expired() -> Job:
    """A job of the high pool whose worker is dead."""
    job = new_job(priority=9)
    claim_one()
    expire(job.id)
    return job


def queued(job: Job) -> bool:
    """Whether it is back in the queue."""
    return Job.objects.filter(id=job.id, status=Status.QUEUED).exists()


def tell(looked: Looked) -> None:
    """Tell it, and wait until it was heard: a worker that does not poll runs a job for it."""
    heard = job_in(Status.QUEUED)
    Job.objects.filter(id=heard.id).update(priority=0)
    tell_workers(Looked(looked.rest, [0]).payload())
    wait_final(heard.id)


def test_who_is_told_that_nobody_needs_to_rescue_still_promotes(workers: Workers) -> None:
    # Others are believed for as long as it takes many processes to look.
    absent(100)
    lease = 30.0
    workers.start(*("--queue", "low"), JOB_LEASE_SECONDS=str(lease), WORKER_POLL_SECONDS="3600")
    wait_until(lambda: WorkerProcess.objects.filter(wakeup__postgresql="up").exists(), "it listens")
    before = expired()
    wait_until(lambda: queued(before), "it rescues")
    Job.objects.filter(id=before.id).delete()
    tell(Looked(rest=lease * LONGEST_REST))
    lost = expired()
    # Whoever promotes rescues in the same look: after the second of these it would be done.
    for _ in range(5):
        tell(Looked(rest=lease * LONGEST_REST))
        due = new_job(priority=9, scheduled_at=timezone.now() + timedelta(seconds=0.1))
        wait_until(lambda due=due: queued(due), "it is promoted")  # type: ignore[misc]
        assert not queued(lost)
    tell(Looked())
    wait_until(lambda: queued(lost), "it is rescued")


@pytest.mark.parametrize("lie", ["looked 999999.000 ", "looked inf ", "looked", "\u00b2"])
def test_whoever_says_that_all_was_looked_after_keeps_nobody_from_it(
    workers: Workers, lie: str
) -> None:
    workers.start("--queue", "low", JOB_LEASE_SECONDS="3")
    wait_until(lambda: WorkerProcess.objects.filter(wakeup__postgresql="up").exists(), "it listens")
    tell_workers(lie)
    lost = expired()
    due = new_job(priority=9, scheduled_at=timezone.now() + timedelta(seconds=0.1))

    def mended() -> bool:
        tell_workers(lie)
        return queued(lost) and queued(due)

    wait_until(mended, "it is looked after")


@pytest.fixture
def _slow_rescue(transactional_db: None) -> Iterator[None]:
    """Each rescue of a job takes 0.3 seconds longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER slow BEFORE UPDATE ON jobs_job FOR EACH ROW"
            " WHEN (NEW.lost_leases > OLD.lost_leases) EXECUTE FUNCTION slow()"
        )
        yield
        cursor.execute("DROP TRIGGER slow ON jobs_job")
        cursor.execute("DROP FUNCTION slow")


@pytest.mark.usefixtures("_slow_rescue")
def test_after_a_slow_rescue_nobody_looks_for_a_while(workers: Workers) -> None:
    workers.start("--queue", "low", JOB_LEASE_SECONDS="6")
    first = expired()
    wait_until(lambda: queued(first), "it is rescued")
    rescued_at = JobAttempt.objects.get(job_id=first.id).ended_at
    Job.objects.filter(id=first.id).delete()
    second = expired()
    wait_until(lambda: queued(second), "it is rescued, too")
    rest = JobAttempt.objects.get(job_id=second.id).ended_at - rescued_at
    assert rest > timedelta(seconds=LONGEST_REST * 6.0)
