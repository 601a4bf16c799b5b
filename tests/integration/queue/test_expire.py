"""Jobs that nobody starts in time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs.models import Job, JobAttempt
from jobs.outcomes import Interrupted, Retry
from jobs.queue.expire import BATCH, expire
from jobs.queue.finish import finish
from jobs.queue.submit import NewJob, submit_many
from jobs.states import Status
from tests.rows import claim, claim_one, finished, new_job

PAST = -1.0


@pytest.mark.django_db
def test_a_job_that_waited_too_long_fails_and_says_why() -> None:
    late, early, without = new_job(expires_in=PAST), new_job(expires_in=60.0), new_job()
    assert expire() == [str(late.id)]
    late.refresh_from_db()
    assert (late.status, late.error_code) == (Status.FAILED, "expired")
    assert late.expires_at is not None
    assert f"by {late.expires_at:%Y-%m-%d %H:%M:%S} UTC" in late.error_message
    assert (late.started_at, late.attempt) == (None, 0)
    for job in (early, without):
        job.refresh_from_db()
        assert job.status == Status.QUEUED
    assert expire() == []
    assert not JobAttempt.objects.exists()


@pytest.mark.django_db
def test_a_job_that_waits_for_its_time_has_until_then() -> None:
    later = timezone.now() + timedelta(hours=1)
    job = new_job(scheduled_at=later, expires_in=60.0)
    assert expire() == []
    Job.objects.update(expires_at=Now())
    assert expire() == [str(job.id)]


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", [Interrupted(), Retry("again")])
def test_a_job_that_has_begun_does_not_expire(outcome: object) -> None:
    job = new_job(expires_in=60.0)
    claimed = claim_one()
    Job.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert expire() == []
    finish([finished(claimed, outcome)])
    assert expire() == []
    Job.objects.update(status=Status.QUEUED, queued_at=Now())
    assert claim_one().job_id == job.id


@pytest.mark.django_db
def test_a_job_that_was_claimed_and_never_begun_expires() -> None:
    job = new_job(expires_in=60.0)
    claimed = claim_one()
    Job.objects.update(expires_at=Now() - timedelta(seconds=1))
    finish([finished(claimed, Interrupted(started=False))])
    assert expire() == [str(job.id)]


@pytest.mark.django_db
def test_an_expired_job_is_not_claimed_and_holds_up_nobody() -> None:
    new_job(expires_in=PAST)
    following = new_job(expires_in=60.0)
    assert [one.job_id for one in claim(5)] == [following.id]


@pytest.mark.django_db
def test_many_expire_in_batches() -> None:
    submit_many(NewJob("noop", expires_in=PAST) for _ in range(BATCH + 1))
    assert [len(expire()), len(expire()), len(expire())] == [BATCH, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_being_claimed_is_neither_waited_for_nor_expired() -> None:
    job, free = new_job(expires_in=PAST), new_job(expires_in=PAST)
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(id=job.id)
            locked.set()
            release.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(60)
    try:
        assert expire() == [str(free.id)]
    finally:
        release.set()
        holder.join(60)
    assert expire() == [str(job.id)]


@pytest.mark.django_db(transaction=True)
def test_many_maintainers_expire_each_job_once() -> None:
    ids = submit_many(NewJob("noop", expires_in=PAST) for _ in range(300))
    expired: list[str] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        expired.extend(expire())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expired.extend(expire())
    assert sorted(expired) == sorted(map(str, ids))
