"""Each condition of a selection chooses, and all have to hold."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from jobs.models import Job
from jobs.outcomes import Failed
from jobs.queue.finish import finish
from jobs.queue.selection import EVERYTHING, Selection
from jobs.queue.submit import NewJob, submit
from tests.rows import claim_one, finished

pytestmark = pytest.mark.django_db


@pytest.fixture
def chosen() -> Job:
    """The job that is meant, beside one that differs in everything."""
    owner = get_user_model().objects.create(username="ann")
    submit(NewJob("noop", priority=9, owner_id=owner.pk))
    finish([finished(claim_one(), Failed("broken", "bad"))])
    other = submit(NewJob("hold", priority=1))
    Job.objects.filter(id=other.id).update(created_at=other.created_at + timedelta(hours=1))
    return Job.objects.get(job_type="noop")


def ids(**conditions: Any) -> list[object]:
    """The ids of what these conditions choose."""
    found = Job.objects.filter(Selection(**conditions).condition())
    return list(found.order_by("id").values_list("id", flat=True))


def test_each_condition_chooses(chosen: Job) -> None:
    soon = chosen.created_at + timedelta(minutes=1)
    other = Job.objects.get(job_type="hold").id
    assert ids(status="FAILED") == [chosen.id]
    assert ids(job_type="noop") == [chosen.id]
    assert ids(error_code="bad") == [chosen.id]
    assert ids(priority=9) == [chosen.id]
    assert ids(owner=chosen.owner_id) == [chosen.id]
    assert ids(created_from=chosen.created_at, created_to=soon) == [chosen.id]
    assert ids(created_to=chosen.created_at) == []
    assert ids(created_from=soon) == [other]
    assert ids(ids=[chosen.id]) == [chosen.id]
    assert ids(status="FAILED", priority=1) == []


def test_nothing_asked_means_every_job_and_no_ids_none(chosen: Job) -> None:
    assert len(ids()) == 2
    assert ids(ids=[]) == []
    assert Selection() == EVERYTHING
    assert Selection(ids=[]) != EVERYTHING
