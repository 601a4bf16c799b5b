"""What holds for every request: its id, its headers, its limits; and reads that cost little."""

import gzip
import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.scopes import ADMIN, READ, SUBMIT
from jobs.models import IdempotencyKey, Job, RequestCount
from jobs.queue.cancel import cancel
from jobs.queue.database import fetch
from jobs.queue.requests import count, prune_requests
from tests.accounts import ClientOf
from tests.explained import explained
from tests.integration.api.asking import problem_of
from tests.rows import new_job

JOBS = "/api/v1/jobs"
NOOP = {"source_file": "a.mp4", "target_format": "webm"}


@pytest.fixture
def hers(alice: User, client_of: ClientOf) -> APIClient:
    return client_of(alice)


def _made(client: APIClient, **headers: str) -> Any:
    return client.post(JOBS, NOOP, format="json", headers=headers)


# Reads that cost little.


@pytest.mark.parametrize("address", ["/api/v1/jobs/{}", "/api/v1/job/{}/status"])
def test_an_unchanged_job_is_304_from_one_narrow_query(
    hers: APIClient, bob: User, client_of: ClientOf, address: str
) -> None:
    job_id = _made(hers).json()["id"]
    path = address.format(job_id)
    tag = hers.get(path)["ETag"]

    with explained() as costs:
        again = hers.get(path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    [read] = [cost.sql for cost in costs if "jobs_job" in cost.sql]
    for wide in ("parameters", '"result"', "error_message", "jobs_jobmetrics"):
        assert wide not in read
    problem_of(client_of(bob).get(path, headers={"If-None-Match": tag}), 404, "not_found")
    problem_of(client_of(bob).get(path, headers={"If-None-Match": "*"}), 404, "not_found")
    bad = APIClient(headers={"Authorization": "Token mp_no"})
    problem_of(bad.get(path, headers={"If-None-Match": tag}), 401, "authentication_failed")


@pytest.mark.parametrize(
    "change",
    [
        {"progress": 0.5},
        {"progress_message": "half"},
        {"cancel_requested": True},
        {"result": {"a": 1}},
        {"name": "other"},
        {"max_attempts": 7},
    ],
    ids=str,
)
def test_the_tag_changes_with_the_job(hers: APIClient, change: dict[str, Any]) -> None:
    path = f"{JOBS}/{_made(hers).json()['id']}"
    tag = hers.get(path)["ETag"]

    # Within one transaction all versions of a row have one writer; a savepoint is another.
    with transaction.atomic():
        Job.objects.update(**change)

    changed = hers.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


# Nothing is made twice.


@pytest.mark.django_db(transaction=True)
def test_a_key_makes_one_job_whoever_hurries(alice: User, client_of: ClientOf) -> None:
    clients = [client_of(alice) for _ in range(8)]
    start = threading.Barrier(len(clients))
    answers: list[Any] = []

    def submit(client: APIClient) -> None:
        try:
            start.wait()
            answers.append(_made(client, **{"Idempotency-Key": '"order-17"'}))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Job.objects.count() == 1
    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            problem_of(answer, 409, "idempotency_key_in_use")
            assert answer["Retry-After"] == "1"
    late = _made(clients[0], **{"Idempotency-Key": "order-17"})
    assert late.content == made[0].content
    assert late["Location"] == made[0]["Location"]


@pytest.mark.django_db(transaction=True)
def test_a_key_in_flight_is_409(api: Client) -> None:
    """The first request holds the lock for as long as its transaction lasts. Without an account:
    that would hold its count of requests, too."""
    locks = "SELECT objid, classid FROM pg_locks WHERE locktype = 'advisory'"

    def submit(client: Client, **headers: str) -> Any:
        return client.post(JOBS, NOOP, content_type="application/json", headers=headers)

    held = threading.Event()
    release = threading.Event()

    def first() -> None:
        try:
            with transaction.atomic():
                answers.append(submit(Client(), **{"Idempotency-Key": "k"}))
                held.set()
                release.wait(60)
        finally:
            connections.close_all()

    answers: list[Any] = []
    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert held.wait(60)
        assert fetch(locks, {})
        problem_of(submit(api, **{"Idempotency-Key": "k"}), 409, "idempotency_key_in_use")
    finally:
        release.set()
        thread.join()
    assert submit(api, **{"Idempotency-Key": "k"}).content == answers[0].content


def test_a_key_is_of_one_owner_address_and_body(
    hers: APIClient, bob: User, client_of: ClientOf
) -> None:
    first = _made(hers, **{"Idempotency-Key": "k"})
    other = hers.post(JOBS, NOOP | {"name": "x"}, format="json", headers={"Idempotency-Key": "k"})
    problem_of(other, 422, "idempotency_key_reused")
    assert _made(client_of(bob), **{"Idempotency-Key": "k"}).json()["id"] != first.json()["id"]
    old = hers.post("/api/v1/submit_job", NOOP, format="json", headers={"Idempotency-Key": "k"})
    assert old.json()["job_id"] != first.json()["id"]
    for bad in ("", "a b", '"', "é", "x" * 256, '"a\\b"'):
        problem_of(_made(hers, **{"Idempotency-Key": bad}), 400, "bad_idempotency_key")
    assert IdempotencyKey.objects.filter(digest__contains="k").count() == 0


def test_a_bulk_replay_with_a_key_is_one(staff: User, client_of: ClientOf) -> None:
    old = [new_job().id for _ in range(3)]
    for job_id in old:
        cancel(job_id)
    client = client_of(staff, [ADMIN])
    body = {"ids": [str(job_id) for job_id in old]}
    answers = [
        client.post(f"{JOBS}/replay", body, format="json", headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [answer.json() for answer in answers] == [{"replayed": 3}] * 2
    assert Job.objects.filter(replay_of__in=old).count() == 3


def test_what_failed_is_not_kept(hers: APIClient) -> None:
    headers = {"Idempotency-Key": "k"}
    wrong = hers.post(JOBS, {"job_type": "no"}, format="json", headers=headers)

    assert wrong.status_code == 400
    assert _made(hers, **headers).status_code == 201


def test_what_is_a_day_old_is_forgotten(hers: APIClient) -> None:
    first = _made(hers, **{"Idempotency-Key": "k"})
    assert not prune_requests()
    assert _made(hers, **{"Idempotency-Key": "k"}).content == first.content

    fetch(
        "UPDATE jobs_idempotencykey SET created_at = created_at - interval '25 hours' RETURNING 1",
        {},
    )
    prune_requests()

    assert _made(hers, **{"Idempotency-Key": "k"}).json()["id"] != first.json()["id"]


# Limits.

NOBODY = "address:127.0.0.1"


def _in_one_minute(client: str) -> None:
    """What the client asks in the next minute counts together, also across the end of this one: a
    clock that is behind the count's begins no minute anew."""
    RequestCount.objects.create(
        client=client, minute=timezone.now() + timedelta(minutes=1), requests=0
    )


@pytest.mark.django_db
def test_requests_of_an_address_are_limited(api: Client, settings: Settings) -> None:
    settings.REQUESTS_PER_MIN_LIMIT = 3
    _in_one_minute(NOBODY)
    answers = [
        api.get("/api/v1/jobs/types", headers={"X-Forwarded-For": f"8.8.8.{n}"}) for n in range(4)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert re.fullmatch(r'"requests";r=2;t=\d+', answers[0]["RateLimit"])
    problem_of(answers[3], 429, "throttled")
    assert answers[3]["RateLimit"] == f'"requests";r=0;t={answers[3]["Retry-After"]}'
    assert api.get("/api/v1/jobs/health").status_code == 200
    assert RequestCount.objects.get().client == NOBODY


@pytest.mark.django_db
def test_wrong_tokens_count_too(api: Client, settings: Settings) -> None:
    settings.REQUESTS_PER_MIN_LIMIT = 2
    _in_one_minute(NOBODY)
    headers = {"Authorization": "Token mp_wrong"}
    codes = [api.get(JOBS, headers=headers).status_code for _ in range(3)]

    assert codes == [401, 401, 429]


@pytest.mark.django_db(transaction=True)
def test_no_request_is_lost_between_connections() -> None:
    def many() -> None:
        try:
            for _ in range(20):
                count("user:1", 1000)
        finally:
            connections.close_all()

    _in_one_minute("user:1")
    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert RequestCount.objects.get().requests == 80
    assert fetch("SELECT relpersistence FROM pg_class WHERE relname = 'jobs_requestcount'", {}) == [
        ("u",)
    ]


# Ids, the log, headers.


@pytest.mark.parametrize("path", [JOBS, "/api/v1/nothing", "/nowhere", "/api/v1/jobs?x=%00"])
@pytest.mark.django_db
def test_every_answer_has_an_id(api: Client, path: str) -> None:
    given = api.get(path, headers={"X-Request-ID": "order-17.attempt_2"})
    assert given["X-Request-ID"] == "order-17.attempt_2"
    for bad in ("short", "x" * 65, "two\nlines-of-it", "spaces are not", 'a"quote-is-not'):
        assert re.fullmatch(
            r"[0-9a-f-]{36}", api.get(path, headers={"X-Request-ID": bad})["X-Request-ID"]
        )
    for name in (
        "Permissions-Policy",
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Cross-Origin-Opener-Policy",
        "Referrer-Policy",
    ):
        assert name in given.headers, name


@pytest.mark.django_db
def test_the_log_has_no_secret(
    hers: APIClient,
    alice: User,
    client_of: ClientOf,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    client = client_of(alice, scopes=(SUBMIT, READ))
    token = client._credentials["HTTP_AUTHORIZATION"].split()[1]  # type: ignore[attr-defined]
    client.cookies["sessionid"] = "canary-cookie"
    headers = {"Idempotency-Key": "canary-key", "X-Request-ID": "known-request"}
    _made(client, **headers)
    client.get(f"{JOBS}?signature=canary-query", headers={"X-Request-ID": "known-request"})
    client.get("/api/v1/canary-path%0Aforged")

    lines = [str(record.msg) + record.getMessage() for record in caplog.records]
    text = "\n".join(lines) + capsys.readouterr().out
    assert sum("http.request" in line and "known-request" in line for line in lines) == 2
    for secret in (token, "canary-cookie", "canary-key", "canary-query"):
        assert secret not in text


@pytest.mark.django_db
def test_long_answers_to_get_are_compressed(hers: APIClient) -> None:
    for _ in range(3):
        assert "Content-Encoding" not in _made(hers, **{"Accept-Encoding": "gzip"}).headers
    page = hers.get(JOBS, headers={"Accept-Encoding": "gzip"})

    assert page["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(page.content))["results"]) == 3
    assert (
        "Content-Encoding"
        not in hers.get(f"{JOBS}/stats/counts", headers={"Accept-Encoding": "gzip"}).headers
    )


@pytest.mark.django_db
def test_other_origins_only_where_named(api: Client, settings: Settings) -> None:
    ask = {
        "Origin": "https://app.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key",
    }
    assert "Access-Control-Allow-Origin" not in api.options(JOBS, headers=ask).headers
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    allowed = api.options(JOBS, headers=ask)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "idempotency-key" in allowed["Access-Control-Allow-Headers"]
    read = api.get(JOBS, headers={"Origin": "https://app.example.org"})
    assert "RateLimit" in read["Access-Control-Expose-Headers"]
    evil = api.get(JOBS, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in evil.headers
