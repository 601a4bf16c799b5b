"""GET job/{id}/status, through the life of a job."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.attempt import Attempt
from jobs.models import Job
from jobs.outcomes import Backoff, Completed, Failed, Metrics, Outcome, Retry
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit
from tests.integration.api.asking import UNKNOWN_ID, assert_headers, problem_of

pytestmark = pytest.mark.django_db

KEYS = [
    "id",
    "source_file",
    "target_format",
    "priority",
    "status",
    "error_message",
    "created_at",
    "queued_at",
    "started_at",
    "completed_at",
    "metrics",
]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
ANYONE = Demand(lowest=0, highest=10, worker="test", lease_seconds=60)


def new_job() -> Job:
    return submit(NewJob(job_type="simulate", source_file="video.mp4", target_format="avi"))


def start() -> Attempt:
    """Claim the one job that waits."""
    [claimed] = step([], ANYONE, 1).claimed
    return claimed


def end(outcome: Outcome) -> None:
    step([Finished(start(), outcome)], ANYONE, 0)


def status_of(api: Client, job_id: UUID) -> dict[str, Any]:
    response = api.get(f"/api/v1/job/{job_id}/status")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert_headers(response)
    body: dict[str, Any] = response.json()
    assert list(body) == KEYS
    return body


def times_of(body: dict[str, Any]) -> list[str | None]:
    """The moments of a job in order, after checking how they are written."""
    times = [body[f"{event}_at"] for event in ("created", "queued", "started", "completed")]
    assert all(TIMESTAMP.fullmatch(time) for time in times if time)
    return times


def test_queued(api: Client) -> None:
    job = new_job()

    body = status_of(api, job.id)

    created, queued, started, completed = times_of(body)
    assert created
    assert queued
    assert (started, completed) == (None, None)
    assert {key: body[key] for key in KEYS if not key.endswith("_at")} == {
        "id": str(job.id),
        "source_file": "video.mp4",
        "target_format": "avi",
        "priority": "default",
        "status": "QUEUED",
        "error_message": None,
        "metrics": None,
    }


def test_in_progress(api: Client) -> None:
    job = new_job()
    start()

    body = status_of(api, job.id)

    assert (body["status"], body["metrics"], body["completed_at"]) == ("IN_PROGRESS", None, None)
    assert body["started_at"]


@pytest.mark.parametrize("simulated", [True, False])
def test_completed(api: Client, simulated: bool) -> None:
    job = new_job()
    end(Completed(Metrics(78, 512, 4.23, simulated=simulated)))

    body = status_of(api, job.id)

    assert (body["status"], body["error_message"]) == ("COMPLETED", None)
    assert all(times_of(body))
    assert list(body["metrics"].items()) == [
        ("peak_cpu_usage", 78),
        ("memory_usage_mb", 512),
        ("processing_time_seconds", 4.23),
        *([("simulated", True)] if simulated else []),
    ]


def test_failed(api: Client) -> None:
    job = new_job()
    end(Failed("The file is not media."))

    body = status_of(api, job.id)

    assert (body["status"], body["metrics"]) == ("FAILED", None)
    assert body["error_message"] == "The file is not media."
    assert body["completed_at"]


def test_waiting_for_a_retry_has_no_error_message(api: Client) -> None:
    job = new_job()
    end(Retry("Not this time.", backoff=Backoff(base_seconds=60)))

    body = status_of(api, job.id)

    assert (body["status"], body["error_message"]) == ("PENDING", None)
    assert (body["metrics"], body["completed_at"]) == (None, None)


@pytest.mark.parametrize("completed", [True, False])
def test_one_query(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries, completed: bool
) -> None:
    job = new_job()
    if completed:
        end(Completed(Metrics(1, 1, 1.0)))

    with django_assert_num_queries(1):
        status_of(api, job.id)


def test_id_in_any_spelling_of_a_uuid_and_with_a_slash(api: Client) -> None:
    job = new_job()

    for spelling in (str(job.id).upper(), job.id.hex):
        assert status_of(api, spelling)["id"] == str(job.id)  # type: ignore[arg-type]
    assert api.get(f"/api/v1/job/{job.id}/status/").status_code == 200
    assert api.head(f"/api/v1/job/{job.id}/status").status_code == 200


@pytest.mark.parametrize(
    "job_id",
    [
        UNKNOWN_ID,
        "abc123-uuid",
        "1",
        "-1",
        "9" * 5000,
        "00000000-0000-0000-0000-000000000000",
        UNKNOWN_ID + "0",
        "%20",
        "%F0%9F%8E%AC",
        "'; DROP TABLE jobs_job; --",
        "..",
        "null",
    ],
)
def test_unknown_and_malformed_ids(api: Client, job_id: str) -> None:
    problem_of(api.get(f"/api/v1/job/{job_id}/status"), 404, "not_found")


def test_path_of_the_problem_is_a_uri_reference(api: Client) -> None:
    document = problem_of(api.get("/api/v1/job/%C3%A9/status/"), 404, "not_found")

    assert document["instance"] == "/api/v1/job/%C3%A9/status/"
