"""A web process looks after all jobs, from its first call for jobs on."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Job
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.rows import expire
from tests.waiting import wait_until
from tests.web import WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_after_its_start_workers_can_renew_before_it_rescues(
    web: WebServer, web_alone: WebServer, wanted: dict[str, Any]
) -> None:
    """What happens here by another server happens when one was away for longer than a lease."""
    job = submit(NewJob("noop", priority=2))
    asked = {**wanted, "types": ["noop"]}
    [held] = web.call("POST", "jobs/lease", json=asked).json()["jobs"]
    expire(job.id)
    due = submit(
        NewJob("noop", priority=2, scheduled_at=timezone.now() + timedelta(milliseconds=50))
    )
    assert "upkeep.started" not in web_alone.log.read_text()

    assert web_alone.call("POST", "jobs/lease", json={**wanted, "name": "other"}).status_code == 204
    wait_until(lambda: Job.objects.get(id=due.id).status == Status.QUEUED, "it has looked")
    renewed = web_alone.call("POST", f"jobs/{job.id}/progress", json={"lease": held["lease"]})

    assert renewed.status_code == 200, renewed.text
    wait_until(lambda: Job.objects.get(id=job.id).lost_leases == 1, "it is rescued in the end")
