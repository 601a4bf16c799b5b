"""What is kept for the next attempt is kept under the lease alone."""

import pytest

from jobs.models import JobCheckpoint
from jobs.queue.checkpoint import NOTHING, Checkpoint, forget, load, save
from jobs.queue.finish import finish
from jobs.queue.rescue import rescue
from tests.rows import claim_one, expire, finished, new_job

pytestmark = pytest.mark.django_db


def test_the_newest_is_kept_for_whoever_comes_next() -> None:
    job = new_job()
    first = claim_one()
    assert load(first) == NOTHING
    assert save(first, None, {"a": 1})
    assert load(first) == Checkpoint(None, {"a": 1})
    assert save(first, {"position": 2}, {"a": 1})
    expire(job.id)
    rescue(0.0, 3)
    assert load(first) is None
    assert load(claim_one()) == Checkpoint({"position": 2}, {"a": 1})


def test_who_lost_the_job_writes_nothing() -> None:
    job = new_job()
    lost = claim_one()
    expire(job.id)
    rescue(0.0, 3)
    assert not save(lost, {"of": "lost"}, {})
    now = claim_one()
    assert not save(lost, {"of": "lost"}, {})
    assert save(now, {"of": "now"}, {})
    assert not save(lost, {"of": "lost"}, {})
    assert load(lost) is None
    finish([finished(now)])
    assert not save(now, {"of": "settled"}, {})
    assert load(now) is None
    assert JobCheckpoint.objects.get().state == {"of": "now"}


def test_forgetting_is_of_the_jobs_that_are_named() -> None:
    kept, gone = new_job(), new_job()
    for claimed in (claim_one(), claim_one()):
        assert save(claimed, {}, {})
    forget([gone.id])
    assert [one.job_id for one in JobCheckpoint.objects.all()] == [kept.id]
