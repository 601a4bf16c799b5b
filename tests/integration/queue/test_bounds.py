"""A claim behind a lower bound stays cheap, and what comes in below the bound is found too.

See jobs/worker/bounds.py.
"""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from jobs.models import Job
from jobs.outcomes import Interrupted
from jobs.queue.claim import Position
from jobs.queue.finish import Finished, finish
from jobs.queue.rescue import rescue
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from tests.explained import claims, explained
from tests.rows import ALL, claim_one, expire, finished, new_job
from tests.waiting import wait_until
from tests.workers import Workers, database_url

pytestmark = pytest.mark.django_db(transaction=True)

DONE_JOBS = 10_000
CHUNK = 200
FEW = 40
MANY = 300
BACKLOG = 5_000


@pytest.fixture
def pinned() -> Iterator[None]:
    """Another session holds a snapshot open: nothing that dies from now on can be removed."""
    with psycopg.connect(database_url()) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT count(*) FROM jobs_job")
        yield


def drain() -> dict[int, Position]:
    """Claim and settle everything; the positions that were reached."""
    reached: dict[int, Position] = {}
    stepped = step([], ALL, CHUNK, reached)
    while stepped.claimed:
        reached = {**reached, **stepped.reached}
        stepped = step([finished(job) for job in stepped.claimed], ALL, CHUNK, reached)
    return reached


@contextmanager
def late_commit(priority: int = 5) -> Iterator[Job]:
    """A job that is submitted before the block and committed at its end."""
    submitted, release = threading.Event(), threading.Event()
    jobs: list[Job] = []

    def hold() -> None:
        with transaction.atomic():
            jobs.append(new_job(priority))
            submitted.set()
            release.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert submitted.wait(60)
    try:
        yield jobs[0]
    finally:
        release.set()
        thread.join(60)


def only_a_full_look_finds(reached: Mapping[int, Position]) -> UUID:
    """The job that a claim behind the bound does not see, and the next full look claims."""
    assert step([], ALL, 10, reached).claimed == []
    return claim_one().job_id


def look(after: Mapping[int, Position]) -> int:
    """The buffers that a claim touches which finds nothing."""
    with explained() as costs:
        assert step([], ALL, 1, after).claimed == []
    [cost] = claims(costs)
    return cost.buffers


def test_under_a_held_snapshot_only_a_full_look_becomes_dear(pinned: None) -> None:
    submit_many(NewJob("noop", priority=number % 3) for number in range(DONE_JOBS))
    reached = drain()
    behind, everything = look(reached), look({})
    assert behind < FEW, (behind, everything)
    assert everything > MANY, (behind, everything)


def test_a_claim_behind_its_bound_finds_what_comes_in_under_a_held_snapshot(pinned: None) -> None:
    submit_many(NewJob("noop") for _ in range(DONE_JOBS))
    reached = drain()
    new = new_job()
    with explained() as costs:
        [claimed] = step([], ALL, 1, reached).claimed
    [cost] = claims(costs)
    assert claimed.job_id == new.id
    assert cost.buffers < FEW


def test_a_late_commit_is_not_behind_the_bound_and_is_claimed_by_a_full_look() -> None:
    with late_commit() as late:
        later = new_job()
        stepped = step([], ALL, 1)
        assert [job.job_id for job in stepped.claimed] == [later.id]
    assert only_a_full_look_finds(stepped.reached) == late.id


def test_a_hand_back_is_claimed_by_a_full_look() -> None:
    first, _ = new_job(), new_job()
    mine = claim_one()
    reached = step([], ALL, 1).reached
    finish([Finished(mine, Interrupted())])
    assert only_a_full_look_finds(reached) == first.id


def test_a_rescued_job_is_claimed_by_a_full_look() -> None:
    first, _ = new_job(), new_job()
    claim_one()
    reached = step([], ALL, 1).reached
    expire(first.id)
    assert len(rescue(0.0, 3)) == 1
    assert only_a_full_look_finds(reached) == first.id


def busy() -> bool:
    """Keep the high pool from ever running out of jobs."""
    queued = Job.objects.filter(status=Status.QUEUED).count()
    assert queued, "the backlog came to its end: nothing was shown"
    if queued < BACKLOG:
        submit_many(NewJob("noop", priority=9) for _ in range(BACKLOG))
    return True


def is_done(job: Job) -> bool:
    job.refresh_from_db()
    return job.status == Status.COMPLETED


def start_busy_worker(workers: Workers) -> None:
    """One that has gone well into a backlog, job by job."""
    ids = submit_many(NewJob("noop", priority=9) for _ in range(2 * BACKLOG))
    workers.start("--queue", "high", WORKER_LARGEST_CHUNK="1", WORKER_POLL_SECONDS="0.2")
    middle = Job.objects.get(id=ids[BACKLOG // 2])
    wait_until(lambda: busy() and is_done(middle), "the worker is in its backlog")


@pytest.mark.processes
def test_a_busy_worker_finds_a_late_commit(workers: Workers) -> None:
    with late_commit(priority=9) as late:
        start_busy_worker(workers)
    wait_until(lambda: busy() and is_done(late), "the late commit is found beside a backlog")


@pytest.mark.processes
def test_a_busy_worker_finds_what_another_handed_back(workers: Workers, tmp_path: Path) -> None:
    held = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    leaving = workers.start("--queue", "high", "--threads", "1")
    wait_until(lambda: list(tmp_path.glob(f"{held.id}.*")), "it runs")
    start_busy_worker(workers)
    leaving.send(signal.SIGTERM)
    wait_until(lambda: busy() and leaving.events("worker.draining"), "it drains")
    leaving.send(signal.SIGTERM)
    wait_until(lambda: busy() and leaving.process.poll() is not None, "it has handed back")
    (tmp_path / "release").touch()
    wait_until(lambda: busy() and is_done(held), "the hand-back is found beside a backlog")
    assert len(list(tmp_path.glob(f"{held.id}.*"))) == 2
