"""Submitting: the row as it comes back, bulk, and what a rolled back transaction leaves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, transaction
from django.utils import timezone

from jobs.models import Job
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status

pytestmark = pytest.mark.django_db

MORE: dict[str, Any] = {
    "name": "holiday",
    "expires_in": 45.5,
    "soft_limit_seconds": 60.25,
    "hard_limit_seconds": 90.0,
    "replay_of": uuid4(),
    "source_bytes": 5_000_000_000,
    "estimated_seconds": 12.5,
}
COLUMNS = (
    "job_type", "source_file", "target_format", "parameters", "priority", "max_attempts", "name",
    "soft_limit_seconds", "hard_limit_seconds", "replay_of", "source_bytes", "estimated_seconds",
)  # fmt: skip


def test_what_comes_back_is_what_stands_in_the_database() -> None:
    owner = get_user_model().objects.create(username="somebody")
    new = NewJob("noop", "a.mp4", "avi", {"x": [1, None]}, 7, 5, owner_id=owner.pk, **MORE)
    job = submit(new)
    stored = Job.objects.get()
    for name in (*COLUMNS, "id", "expires_at", "created_at"):
        assert getattr(job, name) == getattr(stored, name), name
    assert job.status == stored.status == Status.QUEUED
    assert job.queued_at == stored.queued_at == stored.created_at
    assert (stored.attempt, stored.lease, stored.started_at) == (0, None, None)


def test_many_write_what_one_writes() -> None:
    new = NewJob("noop", "a.mp4", "avi", {"x": [1, None]}, 7, 5, **MORE)
    one = submit(new)
    many = Job.objects.get(id=submit_many([new])[0])
    for name in COLUMNS:
        assert getattr(one, name) == getattr(many, name) is not None, name
    for job in (one, many):
        assert job.expires_at == job.created_at + timedelta(seconds=45.5)


def test_a_time_to_start_counts_from_when_the_job_is_due() -> None:
    later = timezone.now() + timedelta(minutes=5)
    new = NewJob("noop", scheduled_at=later, expires_in=30.0)
    [many] = submit_many([new])
    for job in (submit(new), Job.objects.get(id=many)):
        assert job.expires_at == later + timedelta(seconds=30)


def test_a_time_to_start_of_a_job_that_is_due_counts_from_now() -> None:
    new = NewJob("noop", scheduled_at=timezone.now() - timedelta(minutes=5), expires_in=30.0)
    [many] = submit_many([new])
    for job in (submit(new), Job.objects.get(id=many)):
        assert job.expires_at == job.created_at + timedelta(seconds=30)


def test_a_job_for_later_is_pending() -> None:
    later = timezone.now() + timedelta(minutes=5)
    job = submit(NewJob("noop", scheduled_at=later))
    assert (job.status, job.queued_at, job.scheduled_at) == (Status.PENDING, None, later)


def test_a_time_that_has_come_is_now() -> None:
    job = submit(NewJob("noop", scheduled_at=timezone.now() - timedelta(minutes=5)))
    assert job.status == Status.QUEUED


@pytest.mark.parametrize(
    "new", [NewJob("a\x00b"), NewJob("noop", "a\x00b"), NewJob("noop", "", "a\x00b")]
)
def test_text_that_postgresql_cannot_hold_is_refused_whole(new: NewJob) -> None:
    with pytest.raises(DataError), transaction.atomic():
        submit(new)
    assert not Job.objects.exists()


def test_many_are_queued_in_their_order() -> None:
    ids = submit_many(NewJob("noop", parameters={"n": number}) for number in range(50))
    assert ids == sorted(ids)
    stored = Job.objects.order_by("queued_at", "id")
    assert [job.parameters["n"] for job in stored] == list(range(50))
    assert {job.status for job in stored} == {Status.QUEUED}
    assert all(job.queued_at == job.created_at for job in stored)


def test_many_are_due_now_or_wait_for_their_time() -> None:
    now = timezone.now()
    due, later = now - timedelta(minutes=5), now + timedelta(minutes=5)
    ids = submit_many(NewJob("noop", scheduled_at=at) for at in (None, due, later))
    stored = {job.id: job for job in Job.objects.all()}
    assert [stored[job_id].status for job_id in ids] == ["QUEUED", "QUEUED", "PENDING"]
    assert [stored[job_id].scheduled_at for job_id in ids] == [None, due, later]
    assert stored[ids[2]].queued_at is None


def test_many_are_all_or_none() -> None:
    def broken() -> Iterator[NewJob]:
        yield NewJob("noop")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), transaction.atomic():
        submit_many(broken())
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_with_it() -> None:
    with transaction.atomic():
        submit(NewJob("noop"))
        transaction.set_rollback(True)
    assert not Job.objects.exists()
