"""A web process looks after all jobs, from its first call for jobs on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import Token
from accounts.scopes import READ
from jobs.models import Job
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.rows import expire
from tests.waiting import wait_until
from tests.web import WebServer
from tests.workers import database_url

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


@pytest.fixture
def web_patient(web: WebServer, store: Path, tmp_path: Path) -> Iterator[WebServer]:
    """A server that hangs up on no connection within the test."""
    server = WebServer(database_url(), store, tmp_path / "web.log", JOB_LEASE_SECONDS="600")
    server.token = web.token
    yield server
    server.stop()


def test_its_statements_have_a_bound_and_those_of_requests_do_not(
    web_patient: WebServer, wanted: dict[str, Any]
) -> None:
    """While somebody has a table locked: it goes away and comes back, and a request waits."""
    assert web_patient.call("POST", "jobs/lease", json=wanted).status_code == 204
    reader = User.objects.create(username="reader", is_staff=True)
    _, web_patient.token = Token.objects.create(reader, scopes=[READ])
    seen: set[int] = set()
    with ThreadPoolExecutor(1) as requests, psycopg.connect(database_url()) as other:
        other.execute("LOCK TABLE jobs_schedule IN ACCESS EXCLUSIVE MODE")
        due = submit(
            NewJob("noop", priority=2, scheduled_at=timezone.now() + timedelta(milliseconds=50))
        )
        asked = requests.submit(web_patient.call, "GET", f"schedules/{due.id}")
        wait_until(lambda: len(_waiting(other, seen)) > 2, "it comes with a new connection")
        assert not asked.done()
        other.rollback()
        assert asked.result().status_code == 404
    wait_until(lambda: Job.objects.get(id=due.id).status == Status.QUEUED, "it goes on")


def _waiting(connection: "psycopg.Connection[Any]", seen: set[int]) -> set[int]:
    """The sessions that wait for the table; all of them are put to `seen`."""
    seen.update(
        pid
        for (pid,) in connection.execute(
            "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'jobs_schedule'::regclass"
        )
    )
    return seen
