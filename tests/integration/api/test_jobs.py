"""The jobs resource: POST and GET jobs, GET and DELETE jobs/{id}."""

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer
from django.test import Client
from pytest_django import Settings

from jobs.api import pages
from jobs.models import Job
from jobs.states import Status
from tests.accounts import ClientOf
from tests.integration.api.asking import (
    UNKNOWN_ID,
    assert_headers,
    errors_of,
    problem_of,
    refused,
    send,
)
from tests.rows import claim_one, job_in, new_job

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
SIMULATED = {"source_file": "video.mp4", "target_format": "avi"}


def test_a_job_is_taken_and_answered_whole(api: Client) -> None:
    response = send(
        api,
        "POST",
        JOBS,
        {
            **SIMULATED,
            "name": "Holiday film",
            "priority": 7,
            "max_retries": 1,
            "pending_timeout_seconds": 600,
            "soft_limit_seconds": 20,
            "hard_limit_seconds": 30.5,
        },
    )

    assert response.status_code == 201
    assert_headers(response)
    job = Job.objects.get()
    body = response.json()
    assert response["Location"] == f"{JOBS}/{job.id}" == body["links"]["self"]
    assert body["id"] == str(job.id)
    assert (body["status"], body["job_type"], body["name"]) == (
        "QUEUED",
        "simulate",
        "Holiday film",
    )
    assert (body["priority"], body["priority_name"], body["max_retries"]) == (7, "high", 1)
    assert (job.priority, job.max_attempts) == (7, 2)
    assert (job.soft_limit_seconds, job.hard_limit_seconds) == (20, 30.5)
    assert job.expires_at is not None
    assert job.expires_at - job.created_at == timedelta(seconds=600)
    assert body == api.get(body["links"]["self"]).json()


def test_numbers_and_names_of_priorities(api: Client) -> None:
    for given, number in [(0, 0), (10, 10), ("high", 10), ("default", 5), ("low", 1)]:
        body = send(api, "POST", JOBS, {**SIMULATED, "priority": given}).json()
        assert body["priority"] == number


def test_scheduled_jobs_wait_for_their_time(api: Client) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    for spelling in (
        {"scheduled_at": at.isoformat()},
        {"schedule_type": "scheduled", "scheduled_time": at.isoformat()},
        {"schedule_type": "scheduled", "scheduled_at": at.isoformat()},
    ):
        body = send(api, "POST", JOBS, {**SIMULATED, **spelling}).json()
        assert body["status"] == "PENDING"
        assert body["queued_at"] is None
        assert datetime.fromisoformat(body["scheduled_at"]) == at

    body = send(api, "POST", JOBS, {**SIMULATED, "schedule_type": "immediate"}).json()
    assert (body["status"], body["scheduled_at"]) == ("QUEUED", None)


def test_a_time_in_the_past_is_no_matter_of_form(api: Client) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    response = send(api, "POST", JOBS, {**SIMULATED, "scheduled_at": past})
    assert errors_of(refused(response, 422, "validation_error")) == {
        ("scheduled_at", "in_the_past")
    }


def test_a_time_that_nobody_can_read_back_is_refused(api: Client) -> None:
    """In the database the year 10000 follows; one such row would break every list of jobs."""
    last = {"scheduled_at": "9999-12-31T23:59:59Z", "pending_timeout_seconds": 1_000_000}
    response = send(api, "POST", JOBS, {**SIMULATED, **last})
    assert errors_of(refused(response, 400, "validation_error")) == {
        ("scheduled_at", "out_of_range")
    }


def test_what_is_null_is_not_given(api: Client) -> None:
    nothing = dict.fromkeys(
        ("job_type", "priority", "max_retries", "scheduled_at", "scheduled_time", "schedule_type")
    )
    assert send(api, "POST", JOBS, {**SIMULATED, **nothing}).status_code == 201


def test_a_clock_that_is_a_little_off_is_forgiven(api: Client) -> None:
    just = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    assert send(api, "POST", JOBS, {**SIMULATED, "scheduled_at": just}).json()["status"] == "QUEUED"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"priority": 11}, ("priority", "out_of_range")),
        ({"priority": "urgent"}, ("priority", "invalid_choice")),
        ({"priority": True}, ("priority", "invalid")),
        ({"max_retries": -1}, ("max_retries", "min_value")),
        ({"max_retries": 101}, ("max_retries", "max_value")),
        ({"soft_limit_seconds": 0}, ("soft_limit_seconds", "min_value")),
        ({"hard_limit_seconds": 10**9}, ("hard_limit_seconds", "max_value")),
        (
            {"soft_limit_seconds": 9, "hard_limit_seconds": 8},
            ("soft_limit_seconds", "out_of_range"),
        ),
        ({"pending_timeout_seconds": -1}, ("pending_timeout_seconds", "min_value")),
        ({"parameters": []}, ("parameters", "not_a_dict")),
        ({"name": "x" * 101}, ("name", "max_length")),
        ({"name": 7}, ("name", "invalid")),
        ({"status": "COMPLETED"}, ("status", "unknown_field")),
        ({"owner": 1}, ("owner", "unknown_field")),
        ({"target_format": "exe"}, ("target_format", "unknown_format")),
        ({"job_type": "mine_bitcoin"}, ("job_type", "unknown_job_type")),
        ({"target_format": ""}, ("job_type", "required")),
    ],
)
def test_what_is_refused_and_why(
    api: Client, changed: dict[str, Any], error: tuple[str, str]
) -> None:
    response = send(api, "POST", JOBS, {**SIMULATED, **changed})
    assert error in errors_of(refused(response, 400, "validation_error"))


def test_the_default_timeout_is_the_setting(api: Client, settings: Settings) -> None:
    settings.JOB_PENDING_TIMEOUT_SECONDS = 60.0
    by_setting = send(api, "POST", JOBS, SIMULATED).json()
    assert by_setting["expires_at"] is not None
    never = send(api, "POST", JOBS, {**SIMULATED, "pending_timeout_seconds": 0}).json()
    assert never["expires_at"] is None


def test_the_list_goes_page_by_page_newest_first(api: Client) -> None:
    made = [str(new_job().id) for _ in range(7)]
    seen: list[str] = []
    address: str | None = f"{JOBS}?limit=3"
    pages = 0
    while address:
        page = api.get(address).json()
        seen += [job["id"] for job in page["results"]]
        address = page["next"]
        pages += 1
    assert seen == made[::-1]
    assert pages == 3


def links_of(response: Any) -> dict[str, str]:
    """What the header Link says, by relation."""
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers.get("Link", ""))
    return {relation: address for address, relation in found}


def ids_of(response: Any) -> list[str]:
    """Of a page, whose header has the links of its body."""
    page = response.json()
    assert links_of(response) == {rel: page[rel] for rel in ("next", "prev") if page[rel]}
    return [job["id"] for job in page["results"]]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("looked_at", [5_000, 2])
def test_pages_lead_back_to_where_one_came_from(
    api: Client, order: str, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while jobs are added, and where a filter leaves pages empty."""
    monkeypatch.setattr(pages, "LOOKED_AT", looked_at)
    made = [str(new_job(priority=5 if number % 4 else 0).id) for number in range(12)]
    wanted = [job for number, job in enumerate(made) if number % 4]
    in_order = wanted[::-1] if order == "newest" else wanted

    first = response = api.get(f"{JOBS}?priority=5&order={order}&limit=2")
    assert first.json()["prev"] is None
    forwards = [response]
    while address := response.json()["next"]:
        response = api.get(address)
        forwards.append(response)
    seen = [ids_of(page) for page in forwards]
    assert list(chain(*seen)) == in_order

    later = str(new_job(priority=5).id)
    backwards = []
    while address := response.json()["prev"]:
        response = api.get(address)
        backwards.append(response)
    back = [ids_of(page) for page in backwards][::-1]
    added = [later] if order == "newest" else []
    assert list(chain(*back)) == [*added, *in_order[: len(in_order) - len(seen[-1])]]
    if looked_at > len(made):  # the very pages; what is new stands before them
        assert [page for page in back if page != added] == seen[:-1]

    whole = ids_of(response)
    while address := response.json()["next"]:
        response = api.get(address)
        whole += ids_of(response)
    assert whole == ([later, *in_order] if order == "newest" else [*in_order, later])


def test_filters_hold_together_and_over_pages(api: Client) -> None:
    new_job(priority=7)
    wanted = [str(new_job(priority=5).id) for _ in range(3)]
    new_job(priority=0)
    job_in(Status.FAILED)

    page = api.get(f"{JOBS}?status=QUEUED&priority=5&limit=2").json()
    assert [job["id"] for job in page["results"]] == wanted[:0:-1]
    rest = api.get(page["next"]).json()
    assert [job["id"] for job in rest["results"]] == wanted[:1]
    assert rest["next"] is None
    assert api.get(f"{JOBS}?status=CANCELLED").json() == {"results": [], "next": None, "prev": None}
    named = api.get(f"{JOBS}?priority=low").json()["results"]
    assert named == []


def test_filters_by_time(api: Client) -> None:
    job = new_job()
    before = (job.created_at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(api.get(f"{JOBS}?created_from={before}").json()["results"]) == 1
    assert api.get(f"{JOBS}?created_to={before}").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=DONE", "status"),
        ("priority=11", "priority"),
        ("priority=" + "9" * 5000, "priority"),
        ("created_from=yesterday", "created_from"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=two", "limit"),
        ("limit=٣", "limit"),
        ("cursor=abc", "cursor"),
        ("colour=red", "colour"),
        ("status=QUEUED&status=FAILED", "status"),
    ],
)
def test_a_bad_filter_is_named(api: Client, query: str, field: str) -> None:
    document = problem_of(api.get(f"{JOBS}?{query}"), 400, "validation_error")
    assert {name for name, _ in errors_of(document)} == {field}


def test_a_cursor_serves_only_what_it_was_given_for(
    api: Client, alice: User, bob: User, client_of: ClientOf
) -> None:
    for _ in range(3):
        new_job()
        new_job(owner_id=alice.id)
        new_job(owner_id=bob.id)
    hers, his = client_of(alice), client_of(bob)
    query = "limit=1&order=newest"
    cursor = _cursor_of(hers.get(f"{JOBS}?{query}"))
    assert hers.get(f"{JOBS}?{query}&cursor={cursor}").status_code == 200
    assert hers.get(f"{JOBS}?limit=2&order=newest&cursor={cursor}").status_code == 200

    signed = Signer(salt="jobs.api.pages").sign
    hostile = [
        (api, query, cursor),
        (his, query, cursor),
        (hers, "limit=1&order=oldest", cursor),
        (hers, f"{query}&status=QUEUED", cursor),
        (hers, query, cursor[1:]),
        (hers, query, cursor + "x"),
        (hers, query, cursor.partition(":")[0]),
        (hers, query, signed("0" * 48)),
        (hers, query, "0" * 20_000),
        (hers, query, "%C3%A9:%F0%9F%92%A9"),
        (hers, query, "' OR 1=1--"),
        (hers, query, ""),
    ]
    for client, asked, given in hostile:
        document = problem_of(client.get(f"{JOBS}?{asked}&cursor={given}"), 400, "validation_error")
        assert errors_of(document) == {("cursor", "invalid")}, given
    twice = api.get(f"{JOBS}?{query}&cursor={cursor}&cursor={cursor}")
    assert errors_of(problem_of(twice, 400, "validation_error")) == {("cursor", "repeated")}


def _cursor_of(response: Any) -> str:
    [cursor] = parse_qs(urlsplit(response.json()["next"]).query)["cursor"]
    return str(cursor)


def test_a_running_job_shows_progress_and_time_left(api: Client) -> None:
    job = new_job()
    claim_one()
    Job.objects.filter(id=job.id).update(progress=0.5, progress_message="half")
    body = api.get(f"{JOBS}/{job.id}").json()
    assert (body["status"], body["progress"], body["progress_message"]) == (
        "IN_PROGRESS",
        0.5,
        "half",
    )
    assert body["seconds_left"] >= 0
    assert body["attempt"] == 1


@pytest.mark.parametrize("job_id", [UNKNOWN_ID, "7", "x", "..%2f", "%F0%9F%92%A9"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("POST", "/replay"),
        ("GET", "/events"),
    ],
)
def test_unknown_jobs(api: Client, method: str, rest: str, job_id: str) -> None:
    problem_of(send(api, method, f"{JOBS}/{job_id}{rest}"), 404, "not_found")


def test_delete_cancels_what_waits(api: Client) -> None:
    job = new_job()
    response = send(api, "DELETE", f"{JOBS}/{job.id}")
    assert response.status_code == 200
    assert response.json()["status"] == "CANCELLED"
    assert Job.objects.get().status == Status.CANCELLED


def test_delete_tells_the_worker_of_what_runs(api: Client) -> None:
    job = new_job()
    claim_one()
    response = send(api, "DELETE", f"{JOBS}/{job.id}")
    assert response.status_code == 202
    assert (response.json()["status"], response.json()["cancel_requested"]) == ("IN_PROGRESS", True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_delete_removes_what_is_final_with_its_outputs(
    api: Client, media_root: Path, status: Status
) -> None:
    job = job_in(status)
    folder = media_root / "outputs" / str(job.id)
    folder.mkdir()
    (folder / "7.avi").write_bytes(b"film")

    response = send(api, "DELETE", f"{JOBS}/{job.id}")

    assert response.status_code == 204
    assert response.content == b""
    assert not Job.objects.exists()
    assert not folder.exists()
    problem_of(send(api, "DELETE", f"{JOBS}/{job.id}"), 404, "not_found")


@pytest.mark.parametrize("address", [JOBS, "/api/v1/submit_job"])
def test_too_many_a_minute(api: Client, settings: Settings, address: str) -> None:
    settings.JOBS_PER_MIN_LIMIT = 1
    answers = [send(api, "POST", address, SIMULATED) for _ in range(3)]  # at most one more minute
    document = problem_of(answers[-1], 429, "too_many_submissions")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert document["detail"]
    assert Job.objects.count() < 3


def test_beyond_the_limit_a_job_is_throttled(api: Client, settings: Settings) -> None:
    settings.CONCURRENT_JOBS_LIMIT = 1
    first, second = (send(api, "POST", JOBS, SIMULATED).json() for _ in range(2))
    assert (first["status"], second["status"]) == ("QUEUED", "THROTTLED")
    assert second["queued_at"] is None
    assert send(api, "DELETE", f"{JOBS}/{second['id']}").json()["status"] == "CANCELLED"
