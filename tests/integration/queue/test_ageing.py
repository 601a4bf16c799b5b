"""With ageing a job counts one priority higher for each stretch of time that it has waited."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from jobs.models import Job
from jobs.queue.finish import Finished
from jobs.queue.step import step
from jobs.states import Status
from tests.rows import ALL, DONE, claim, claim_one, new_job

pytestmark = pytest.mark.django_db

AGEING = replace(ALL, ageing_seconds=60.0)


def waited(priority: int, seconds: float) -> Job:
    """A job that has waited so long."""
    job = new_job(priority)
    Job.objects.filter(id=job.id).update(queued_at=Now() - timedelta(seconds=seconds))
    return job


def test_strict_priority_knows_no_waiting() -> None:
    old, new = waited(1, 36_000), new_job(2)
    assert [one.job_id for one in claim(2)] == [new.id, old.id]


def test_who_waited_long_enough_overtakes() -> None:
    low, almost, high = waited(1, 9 * 60 + 30), waited(3, 6 * 60 + 30), new_job(9)
    # They count 1 + 9, 3 + 6 and 9; of the two nines the one that was queued first goes first.
    assert [claim_one(AGEING).job_id for _ in range(3)] == [low.id, almost.id, high.id]


def test_who_did_not_wait_long_enough_does_not() -> None:
    low, high = waited(1, 59), new_job(2)
    assert [claim_one(AGEING).job_id for _ in range(2)] == [high.id, low.id]


def test_one_claim_of_many_is_in_running_order_and_takes_no_more_than_it_wants() -> None:
    old = [waited(1, 36_000 - number) for number in range(3)]
    new = [new_job(10) for _ in range(3)]
    first = claim(4, AGEING)
    assert [one.job_id for one in first] == [one.id for one in [*old, new[0]]]
    assert [one.job_id for one in claim(4, AGEING)] == [one.id for one in new[1:]]
    assert claim(4, AGEING) == []
    assert Job.objects.filter(status=Status.IN_PROGRESS).count() == 6


def test_a_pool_keeps_to_its_priorities() -> None:
    waited(1, 36_000)
    high = new_job(9)
    assert [one.job_id for one in claim(9, replace(AGEING, lowest=7))] == [high.id]


def test_a_step_settles_and_looks_behind_what_was_reached() -> None:
    before = waited(5, 100)
    waited(5, 50)
    first = step([], AGEING, 1)
    assert [one.job_id for one in first.claimed] == [before.id]
    Job.objects.filter(id=before.id).update(status=Status.QUEUED, lease_expires_at=None)
    second = step([], AGEING, 2, first.reached)
    assert len(second.claimed) == 1
    third = step([Finished(second.claimed[0], DONE)], AGEING, 0)
    assert (third.lost, third.claimed) == (set(), [])
    assert Job.objects.get(id=second.claimed[0].job_id).status == Status.COMPLETED
