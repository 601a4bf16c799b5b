"""What somebody with an account tries: each of these got him somewhere once."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.models import Account, Token
from accounts.plans import PLANS, Plan
from jobs.api import batch
from jobs.api.batch_import import JOB_TYPE
from jobs.models import BatchPart, Job, Schedule, WorkerProcess
from jobs.outcomes import Failed
from jobs.queue.cancel import cancel
from jobs.queue.submit import NewJob, submit
from jobs.worker.settlement import settle_alone
from tests.accounts import PASSWORD, ClientOf
from tests.integration.api.asking import errors_of, problem_of
from tests.integration.api.routes import ROUTES
from tests.rows import claim_one, finished

API = "/api/v1/"
IMPORT = {"media_type": "text/csv", "size": 1, "partial": True}
WANTED = {"pool": "low", "types": ["noop"], "count": 1, "version": 1, "name": "mine"}


def post(client: APIClient, path: str, body: object = None, **headers: Any) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic("POST", API + path, data, "application/json", **headers)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    """Alice's plan."""
    monkeypatch.setitem(PLANS, "small", Plan(jobs_a_minute=3, schedules=2, requests_a_minute=9))
    Account.objects.filter(user=alice).update(plan="small")


def test_the_services_own_job_types(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice, ["submit", "read", "work"])
    body = {"job_type": JOB_TYPE, "parameters": IMPORT}
    for path, asked in (
        ("jobs", body),
        ("schedules", {"name": "a", "cron": "* * * * *", **body}),
    ):
        document = problem_of(post(client, path, asked), 400, "validation_error")
        assert errors_of(document) == {("job_type", "unknown_job_type")}
        assert JOB_TYPE not in document["errors"][0]["detail"].partition("Known:")[2]
    document = problem_of(post(client, "jobs/batch", [body]), 400, "invalid_rows")
    assert document["errors"][0]["code"] == "unknown_job_type"
    types = client.get(f"{API}jobs/types").json()["results"]
    assert JOB_TYPE not in [one["job_type"] for one in types]

    own = submit(NewJob(JOB_TYPE, parameters=IMPORT, owner_id=alice.pk))
    wanted = {**WANTED, "types": ["noop", JOB_TYPE]}
    problem_of(post(client, "jobs/lease", wanted), 400, "validation_error")
    cancel(own.id)
    problem_of(post(client, f"jobs/{own.id}/replay"), 409, "not_replayable")
    assert list(Job.objects.values_list("status", flat=True)) == ["CANCELLED"]


def test_a_login_for_little_makes_no_token_for_more(staff: User) -> None:
    client = APIClient()
    login = {"username": "staff", "password": PASSWORD, "scopes": ["read"]}
    client.credentials(
        HTTP_AUTHORIZATION=f"Token {post(client, 'auth/login', login).data['token']}"
    )
    for scope in ("submit", "work", "admin"):
        refused = post(client, "auth/me/tokens", {"name": "a", "scopes": ["read", scope]})
        document = problem_of(refused, 400, "validation_error")
        assert errors_of(document) == {("scopes", "not_allowed")}
    assert post(client, "auth/me/tokens", {"name": "a", "scopes": ["read"]}).status_code == 201
    assert {tuple(one.scopes) for one in Token.objects.all()} == {("read",)}


def test_retries_count_as_submissions(small: None, alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    job = submit(NewJob("noop", owner_id=alice.pk))
    answers = []
    for _ in range(7):  # at most one more minute
        settle_alone(finished(claim_one(), Failed("it broke")))
        answers.append(post(client, f"jobs/{job.id}/retry"))
        if answers[-1].status_code != 200:
            break
    problem_of(answers[-1], 429, "too_many_submissions")
    assert Job.objects.get().status == "FAILED"


def test_schedules_are_as_many_as_the_plan_has(
    small: None, alice: User, client_of: ClientOf
) -> None:
    client = client_of(alice)
    bodies = [{"name": name, "cron": "* * * * *", "job_type": "noop"} for name in "abc"]
    assert [post(client, "schedules", body).status_code for body in bodies] == [201, 201, 400]
    assert Schedule.objects.count() == 2


def test_plans_fit_together() -> None:
    for plan in PLANS.values():
        assert 0 < plan.largest_batch <= plan.jobs_a_minute
        # Each job in work renews its lease every two seconds, and asks for the next.
        assert plan.work_requests_a_minute >= plan.concurrent_jobs * 40


def test_other_requests_take_no_lease_away(small: None, alice: User, client_of: ClientOf) -> None:
    client = client_of(alice, ["work", "read"])
    submit(NewJob("noop", owner_id=alice.pk))
    [leased] = post(client, "jobs/lease", WANTED).json()["jobs"]
    statuses = [client.get(f"{API}jobs").status_code for _ in range(19)]
    assert 429 in statuses  # the last ones may be of another minute
    body = {"lease": leased["lease"]}
    for _ in range(19):
        assert post(client, f"jobs/{leased['id']}/progress", body).status_code == 200


def test_workers_of_a_user_do_not_pretend_to_serve_everybody(
    alice: User, staff: User, client_of: ClientOf
) -> None:
    for user, live in ((alice, 0), (staff, 1)):
        client = client_of(user, ["work"])
        post(client, "jobs/lease", WANTED)
        assert WorkerProcess.objects.filter(pools__has_key="low").count() == live


def test_a_batch_that_is_sent_again_makes_nothing_twice(alice: User, client_of: ClientOf) -> None:
    client, key = client_of(alice), {"HTTP_IDEMPOTENCY_KEY": "a"}
    first, again = (post(client, "jobs/batch", [{"job_type": "noop"}], **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = post(client, "jobs/batch?partial=true", [{"job_type": "noop"}], **key)
    problem_of(other, 422, "idempotency_key_reused")
    problem_of(post(client, "jobs/batch", [], **key), 422, "idempotency_key_reused")
    assert Job.objects.count() == 1


def test_large_batches_wait_in_small_numbers_and_never_in_a_request(
    alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "SMALL_LINES", 3)
    client, rows = client_of(alice), [{"job_type": "noop"}] * 3
    # All of it is one line.
    answers = [post(client, "jobs/batch", rows) for _ in range(batch.MOST_WAITING + 1)]
    assert {one.status_code for one in answers[:-1]} == {202}
    problem_of(answers[-1], 429, "too_many_batches")
    assert post(client, "jobs/batch", rows[:2]).status_code == 201
    assert Job.objects.filter(job_type="noop").count() == 2
    # What was cancelled is kept no longer.
    post(client, f"jobs/batch/{answers[0].json()['batch']}/cancel")
    assert post(client, "jobs/batch", rows).status_code == 202
    assert BatchPart.objects.count() == batch.MOST_WAITING


def test_metadata_is_small(alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    for metadata, code in (
        ({"a": [[[[1]]]]}, "too_deep"),
        ({"a": "\u00fc" * 2_050}, "too_large"),
        ([], "not_a_dict"),
    ):
        answer = post(client, "jobs", {"job_type": "noop", "metadata": metadata})
        document = problem_of(answer, 400, "validation_error")
        assert errors_of(document) == {("metadata", code)}
    answer = post(client, "jobs", {"job_type": "noop", "metadata": {"\0": 1}})
    problem_of(answer, 400, "bad_character")


def test_no_name_that_looks_like_another(db: None, settings: Settings) -> None:
    settings.ALLOW_REGISTRATION = True
    made = post(APIClient(), "auth/register", {"username": "\uff50aul", "password": PASSWORD})
    assert made.json()["username"] == "paul"
    taken = post(APIClient(), "auth/register", {"username": "\uff30aul", "password": PASSWORD})
    problem_of(taken, 400, "validation_error")


def test_every_change_by_cookie_wants_the_csrf_token(staff: User) -> None:
    client = APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(staff)
    answers = {
        (route, method): client.generic(method, API + re.sub("<[^>]+>", "x", route))
        for route, methods in ROUTES.items()
        for method, kind in methods.items()
        if method not in {"GET", "HEAD"} and kind not in {"public", "entry", "key"}
    }
    assert len(answers) > 20
    for answer in answers.values():
        assert "CSRF" in problem_of(answer, 403, "permission_denied")["detail"]


def test_a_planted_session_is_not_the_one_that_logs_in(alice: User) -> None:
    client = APIClient()
    planted = client.session
    planted["planted"] = True
    planted.save()
    before = str(planted.session_key)
    token = client.get(f"{API}auth/session").json()["csrf_token"]
    login = {"username": "alice", "password": PASSWORD}
    assert post(client, "auth/session", login, HTTP_X_CSRFTOKEN=token).status_code == 200
    assert client.session.session_key not in {None, before}
    assert not type(planted)(before).exists(before)


UP = ("../../etc/passwd", "/etc/passwd", "..\\..\\a", "a/../../b", "%2e%2e/a", "file:///etc/passwd")


def test_no_name_leads_out_of_the_store(
    alice: User, staff: User, client_of: ClientOf, settings: Settings
) -> None:
    settings.SIMULATE_MISSING_SOURCES = False
    client, admin = client_of(alice), client_of(staff, ["admin", "read"])
    for up in UP:
        # Names of files.
        job = {"source_file": up, "target_format": "avi"}
        schedule = {"name": "a", "cron": "* * * * *", "job_type": "transcode", **job}
        for path, body in (("jobs", job), ("submit_job", job), ("schedules", schedule)):
            assert post(client, path, body).status_code in {400, 422}, (path, up)
        assert post(client, "jobs/batch", [job]).status_code == 400
        job = {"source_file": "a.mp4", "target_format": up}
        assert post(client, "jobs", job).status_code in {400, 422}
        # Names that are told only.
        made = post(client, "jobs", {"job_type": "noop", "name": up}).json()
        assert made["name"] == up
        assert post(client, "auth/me/tokens", {"name": up, "scopes": ["read"]}).status_code == 403
        assert post(client, "jobs", {"job_type": up}).status_code == 400
        # Names in addresses.
        for address in (f"jobs/{up}/output", f"schedules/{up}", f"pools/{up}/pause"):
            assert admin.get(API + address).status_code in {404, 405}, address
    assert set(Job.objects.values_list("source_file", flat=True)) == {""}
