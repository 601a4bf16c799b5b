"""Submitting: the row as it comes back, bulk, and what a rolled back transaction leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, transaction
from django.utils import timezone

from jobs.models import Job
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status

pytestmark = pytest.mark.django_db


def test_what_comes_back_is_what_stands_in_the_database() -> None:
    owner = get_user_model().objects.create(username="somebody")
    new = NewJob("noop", "a.mp4", "avi", {"x": [1, None]}, 7, 5, owner_id=owner.pk)
    job = submit(new)
    stored = Job.objects.get()
    for name in ("id", "parameters", "priority", "max_attempts", "owner_id", "created_at"):
        assert getattr(job, name) == getattr(stored, name), name
    assert job.status == stored.status == Status.QUEUED
    assert job.queued_at == stored.queued_at == stored.created_at
    assert (stored.attempt, stored.lease, stored.started_at) == (0, None, None)


def test_a_job_for_later_is_pending() -> None:
    later = timezone.now() + timedelta(minutes=5)
    job = submit(NewJob("noop", scheduled_at=later))
    assert (job.status, job.queued_at, job.scheduled_at) == (Status.PENDING, None, later)


def test_a_time_that_has_come_is_now() -> None:
    job = submit(NewJob("noop", scheduled_at=timezone.now() - timedelta(minutes=5)))
    assert job.status == Status.QUEUED


@pytest.mark.parametrize("field", ["job_type", "source_file", "target_format"])
def test_text_that_postgresql_cannot_hold_is_refused_whole(field: str) -> None:
    values: dict[str, Any] = {"job_type": "noop", field: "a\x00b"}
    with pytest.raises(DataError), transaction.atomic():
        submit(NewJob(**values))
    assert not Job.objects.exists()


def test_many_are_queued_in_their_order() -> None:
    ids = submit_many(NewJob("noop", parameters={"n": number}) for number in range(50))
    assert ids == sorted(ids)
    stored = Job.objects.order_by("queued_at", "id")
    assert [job.parameters["n"] for job in stored] == list(range(50))
    assert {job.status for job in stored} == {Status.QUEUED}
    assert all(job.queued_at == job.created_at for job in stored)


def test_many_are_all_or_none() -> None:
    def broken() -> object:
        yield NewJob("noop")
        yield NewJob("noop", scheduled_at=timezone.now())

    with pytest.raises(ValueError, match="due now"), transaction.atomic():
        submit_many(broken())  # type: ignore[arg-type]
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_with_it() -> None:
    with transaction.atomic():
        submit(NewJob("noop"))
        transaction.set_rollback(True)
    assert not Job.objects.exists()
