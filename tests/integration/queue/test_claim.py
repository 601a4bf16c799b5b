"""Claims: by priority, first in first out, each job once, however many claim at a time."""

import threading
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from jobs.models import Job
from jobs.queue.claim import Demand, Position, read_claimed, read_reached
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit_many
from jobs.states import Status
from tests.rows import ALL, claim, claim_one, finished, new_job

if TYPE_CHECKING:
    from uuid import UUID

    from jobs.attempt import Attempt

pytestmark = pytest.mark.django_db(transaction=True)

HIGH = Demand(7, 10, "high", 30.0)
LOW = Demand(0, 6, "low", 30.0)


def test_a_claim_writes_what_it_must() -> None:
    new = new_job(parameters={"a": [1]})
    claimed = claim_one()
    job = Job.objects.get()
    assert (claimed.job_id, claimed.number, claimed.parameters) == (new.id, 1, {"a": [1]})
    assert job.status == Status.IN_PROGRESS
    assert job.lease == claimed.lease
    assert job.attempt == 1
    assert job.worker == "test"
    assert job.started_at is not None
    assert job.lease_expires_at is not None
    assert 29 < (job.lease_expires_at - job.started_at).total_seconds() <= 31


def test_higher_priorities_first_then_first_in_first_out() -> None:
    jobs = [new_job(priority) for priority in (1, 5, 10, 5, 1, 10, 7)]
    expected = [job.id for job in sorted(jobs, key=lambda job: (-job.priority, job.id))]
    assert [claim_one().job_id for _ in jobs] == expected


def test_one_claim_of_many_is_in_running_order() -> None:
    submit_many(NewJob("noop", priority=number % 11) for number in range(200))
    claimed = claim(200)
    assert claimed == sorted(claimed, key=lambda job: (-job.priority, job.job_id))
    assert len(claimed) == 200


def test_a_pool_never_takes_what_another_serves() -> None:
    for priority in range(11):
        new_job(priority)
    assert [job.priority for job in claim(100, HIGH)] == [10, 9, 8, 7]
    assert [job.priority for job in claim(100, LOW)] == [6, 5, 4, 3, 2, 1, 0]
    assert claim(100) == []


def test_a_claim_takes_no_more_than_it_wants_with_stale_statistics() -> None:
    submit_many(NewJob("noop") for _ in range(300))
    assert len(claim(7)) == 7
    assert Job.objects.filter(status=Status.IN_PROGRESS).count() == 7


def test_eight_workers_lose_no_job_and_run_none_twice() -> None:
    ids = set(submit_many(NewJob("noop", priority=number % 11) for number in range(600)))
    runs: list[UUID] = []
    orders: list[list[Attempt]] = []
    lock = threading.Lock()
    start = threading.Barrier(8)

    def work() -> None:
        mine: list[Attempt] = []
        done = step([], ALL, 0).claimed
        start.wait()
        while True:
            done = step([finished(job) for job in done], ALL, 3).claimed
            if not done:
                break
            mine += done
        with lock:
            runs.extend(job.job_id for job in mine)
            orders.append(mine)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(runs) == 600
    assert set(runs) == ids
    assert Job.objects.filter(status=Status.COMPLETED, metrics__isnull=False).count() == 600
    for mine in orders:
        assert mine == sorted(mine, key=lambda job: (-job.priority, job.job_id))


def test_what_a_later_release_adds_is_not_read() -> None:
    row = ["a", 7, 1, 3, "noop", "", "", 5, {}, None, 2.5, "2026-01-01T00:00:00+00:00", "new"]
    [attempt] = read_claimed([row])
    assert (attempt.lease, attempt.hard_limit_seconds) == (7, 2.5)
    assert read_reached([row]) == {5: Position("2026-01-01T00:00:00+00:00", "a")}
