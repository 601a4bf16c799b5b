"""POST jobs/{id}/cancel, retry, replay and GET jobs/{id}/events, jobs/stats."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job, JobAttempt, JobEvent
from jobs.outcomes import Backoff, Failed, Retry
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.finish import finish
from jobs.queue.history import attempts, events
from jobs.queue.promote import promote
from jobs.states import Status
from tests.explained import explained
from tests.integration.api.asking import errors_of, problem_of, send
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


def test_a_long_story_goes_page_by_page(api: Client) -> None:
    """Snoozes, retries by the queue and by people: every way to page tells the whole story once."""
    job = long_story()
    whole = events(Job.objects.get(id=job.id))
    tried = attempts(Job.objects.get(id=job.id))
    address = f"{JOBS}/{job.id}/events"
    for order, limit in ((o, n) for o in ("oldest", "newest") for n in (1, 2, 3, 7, 200)):
        pages = [api.get(f"{address}?order={order}&limit={limit}").json()]
        while pages[-1]["next"]:
            pages.append(api.get(pages[-1]["next"]).json())
        step = 1 if order == "oldest" else -1
        assert kinds_on(pages) == [one.kind for one in whole][::step]
        numbers = [one["number"] for page in pages for one in page["attempts"]]
        assert numbers == [one.number for one in tried][::step]
        back = [pages[-1]]
        while back[-1]["prev"] and back[-1]["events"]:
            back.append(api.get(back[-1]["prev"]).json())
        assert kinds_on([page for page in reversed(back) if page["events"]]) == kinds_on(pages)
    default = api.get(address).json()
    assert kinds_on([default]) == [one.kind for one in whole][:50]
    assert default["next"]


def test_a_page_of_a_story_costs_the_same_however_long_it_is(api: Client) -> None:
    job = failed_job()
    now = timezone.now()
    JobAttempt.objects.bulk_create(
        JobAttempt(
            job=job, number=1, outcome="snoozed", traceback="x" * 200,
            started_at=now + timedelta(seconds=2 * number),
            ended_at=now + timedelta(seconds=2 * number + 1),
        )
        for number in range(20_000)
    )  # fmt: skip
    JobEvent.objects.bulk_create(
        JobEvent(job=job, kind="replayed", at=now + timedelta(seconds=2 * number))
        for number in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_jobattempt, jobs_jobevent")
    address = f"{JOBS}/{job.id}/events?limit=10"
    middle = api.get(f"{JOBS}/{job.id}/events?limit=200").json()["next"]
    for asked in (address, f"{address}&order=newest", middle):
        with explained() as costs:
            assert len(api.get(asked).json()["events"]) in {10, 200}
        assert max(cost.buffers for cost in costs) < 300, asked


@pytest.mark.parametrize("query", ["limit=201", "order=x", "cursor=abc", "kind=queued"])
def test_what_a_story_is_not_asked_by(api: Client, query: str) -> None:
    document = problem_of(api.get(f"{JOBS}/{new_job().id}/events?{query}"), 400, "validation_error")
    assert {field for field, _ in errors_of(document)} == {query.partition("=")[0]}


def test_a_cursor_of_one_job_s_story_is_none_of_another_s(api: Client) -> None:
    address = f"{JOBS}/{failed_job().id}/events?limit=1"
    cursor = api.get(address).json()["next"].partition("cursor=")[2]
    other = f"{JOBS}/{new_job().id}/events?limit=1&cursor={cursor}"
    problem_of(api.get(other), 400, "validation_error")


def kinds_on(pages: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for page in pages for event in page["events"]]


def long_story() -> Job:
    """Of a job that people retried again and again, after it had been tried in every way."""
    job = new_job(max_attempts=2)
    for number in range(6):
        if number % 2:
            finish([finished(claim_one(), Retry("busy", backoff=Backoff(0.0)))])
            assert promote()
        finish([finished(claim_one(), Failed("no"))])
        again = replay(job.id, actor="ann")
        cancel(again.id)
        retry(job.id, actor="ann")
    cancel(job.id)
    retry(job.id)
    finish([finished(claim_one())])
    return job


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
