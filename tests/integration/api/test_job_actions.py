"""POST jobs/{id}/cancel, retry, replay and GET jobs/{id}/events, jobs/stats."""

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from jobs.outcomes import Failed
from jobs.queue.finish import finish
from jobs.states import Status
from tests.integration.api.asking import problem_of, send
from tests.rows import claim_one, finished, job_in, new_job

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"


def failed_job() -> Job:
    job = new_job(priority=7, max_attempts=1, name="Film")
    finish([finished(claim_one(), Failed("The file is broken.", code="bad_source"))])
    return job


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_a_final_job_cannot_be_cancelled(api: Client, status: Status) -> None:
    job = job_in(status)
    document = problem_of(send(api, "POST", f"{JOBS}/{job.id}/cancel"), 409, "already_final")
    assert status.value in document["detail"]
    assert document["job_status"] == status.value
    assert Job.objects.get().status == status


def test_cancelling(api: Client) -> None:
    job = new_job()
    response = send(api, "POST", f"{JOBS}/{job.id}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "CANCELLED")


def test_cancelling_a_running_one_twice(api: Client) -> None:
    job = new_job()
    claim_one()
    for _ in range(2):
        response = send(api, "POST", f"{JOBS}/{job.id}/cancel")
        assert (response.status_code, response.json()["cancel_requested"]) == (202, True)


def test_retry_is_the_same_job_again(api: Client) -> None:
    job = failed_job()
    response = send(api, "POST", f"{JOBS}/{job.id}/retry")
    assert response.status_code == 200
    body = response.json()
    assert (body["id"], body["status"], body["attempt"]) == (str(job.id), "QUEUED", 0)
    assert (body["error_code"], body["error_message"], body["completed_at"]) == (None, None, None)
    assert Job.objects.count() == 1
    assert claim_one().number == 1


@pytest.mark.parametrize(
    "status", [Status.PENDING, Status.QUEUED, Status.IN_PROGRESS, Status.COMPLETED]
)
def test_other_states_are_not_retried(api: Client, status: Status) -> None:
    job = job_in(status)
    document = problem_of(send(api, "POST", f"{JOBS}/{job.id}/retry"), 409, "not_retriable")
    assert document["job_status"] == status.value


def test_replay_is_a_new_job_that_points_to_the_old(api: Client) -> None:
    job = failed_job()
    response = send(api, "POST", f"{JOBS}/{job.id}/replay")
    assert response.status_code == 201
    body = response.json()
    assert body["replay_of"] == str(job.id) != body["id"]
    assert response["Location"] == f"{JOBS}/{body['id']}"
    assert (body["status"], body["priority"], body["name"]) == ("QUEUED", 7, "Film")
    assert Job.objects.get(id=job.id).status == Status.FAILED
    kinds = [event["kind"] for event in api.get(f"{JOBS}/{job.id}/events").json()["events"]]
    assert "replayed" in kinds


def test_replays_count_as_submissions(api: Client, settings: Settings) -> None:
    settings.JOBS_PER_MIN_LIMIT = 1
    job = failed_job()
    answers = [send(api, "POST", f"{JOBS}/{job.id}/replay") for _ in range(3)]
    problem_of(answers[-1], 429, "too_many_submissions")
    made = [answer for answer in answers if answer.status_code == 201]
    assert 1 <= len(made) < 3
    assert Job.objects.filter(replay_of=job.id).count() == len(made)


def test_what_is_not_final_is_not_replayed(api: Client) -> None:
    job = new_job()
    problem_of(send(api, "POST", f"{JOBS}/{job.id}/replay"), 409, "not_final")


def test_events_tell_the_story_without_tracebacks(api: Client) -> None:
    job = failed_job()
    send(api, "POST", f"{JOBS}/{job.id}/retry")
    response = api.get(f"{JOBS}/{job.id}/events")
    body = response.json()
    assert "traceback" not in response.content.decode().lower()
    moments = [event["at"] for event in body["events"]]
    assert moments == sorted(moments)
    assert body["events"][0]["kind"] == "created"
    assert "retried" in [event["kind"] for event in body["events"]]
    [attempt] = body["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["error_code"]) == (
        1,
        "failed",
        "bad_source",
    )


def test_statistics(api: Client) -> None:
    new_job()
    failed_job()
    counted = api.get(f"{JOBS}/stats/counts").json()
    assert counted["QUEUED"] == {"jobs": 1, "exactness": "exact"}
    assert counted["FAILED"] == {"jobs": 1, "exactness": "exact"}
    body = api.get(f"{JOBS}/stats?hours=1").json()
    assert body["counts"] == counted
    assert body["overall"]["ended"]["FAILED"] == 1
    assert body["by_pool"]["high"]["ended"] == body["by_type"]["noop"]["ended"]
    assert body["oldest_waiting"]["low"] >= 0
    assert body["oldest_waiting"]["high"] is None


@pytest.mark.parametrize("query", ["hours=0", "hours=x", "hours=nan", "day=1"])
def test_bad_windows(api: Client, query: str) -> None:
    problem_of(api.get(f"{JOBS}/stats?{query}"), 400, "validation_error")
