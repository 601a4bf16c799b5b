"""One's own and nobody else's: jobs, lists, figures, schedules; and what a plan allows."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from accounts.models import Account
from accounts.plans import PLANS, Plan
from jobs.models import Job, Schedule
from jobs.outcomes import Failed
from jobs.queue.limits import release
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.worker.settlement import settle_alone
from tests.accounts import ClientOf
from tests.integration.api.asking import errors_of, problem_of
from tests.rows import claim_one, finished

API = "/api/v1/"
HOURLY = {"name": "hourly", "cron": "0 * * * *", "job_type": "noop"}


def job(owner: User | None, **values: Any) -> Job:
    return submit(NewJob("noop", "a.mp4", "avi", owner_id=owner and owner.pk, **values))


def ids(response: Any) -> list[str]:
    return [one["id"] for one in response.json()["results"]]


def test_lists_cursors_and_figures(
    alice: User, bob: User, staff: User, client_of: ClientOf
) -> None:
    hers, his, nobodys = job(alice), job(bob), job(None)
    newest = job(bob)
    assert ids(client_of(alice).get(f"{API}jobs")) == [str(hers.id)]
    # A cursor of somebody else's list opens nothing.
    path = f"{API}jobs?cursor={newest.id}"
    assert ids(client_of(alice).get(path)) == [str(hers.id)]
    assert ids(client_of(alice).get(f"{API}jobs?owner={bob.pk}")) == []
    admin = client_of(staff, ["read", "admin"])
    everything = [newest, nobodys, his, hers]
    assert ids(admin.get(f"{API}jobs")) == [str(one.id) for one in everything]
    assert ids(admin.get(f"{API}jobs?owner={alice.pk}")) == [str(hers.id)]
    # Staff without the scope sees its own.
    assert ids(client_of(staff).get(f"{API}jobs")) == []
    for who, count in ((client_of(alice), 1), (client_of(bob), 2), (admin, 4)):
        counts = who.get(f"{API}jobs/stats/counts").json()
        assert counts["QUEUED"]["jobs"] == count
        assert who.get(f"{API}jobs/stats").json()["counts"] == counts


def test_anybody_sees_what_has_no_owner(alice: User, api: Any, settings: Settings) -> None:
    hers, nobodys = job(alice), job(None)
    assert ids(api.get(f"{API}jobs")) == [str(nobodys.id)]
    assert api.get(f"{API}jobs/stats/counts").json()["QUEUED"]["jobs"] == 1
    assert api.get(f"{API}jobs/{hers.id}").status_code == 404
    settings.ALLOW_ANONYMOUS = False
    problem_of(api.get(f"{API}jobs"), 401, "not_authenticated")


def test_anothers_job_is_as_one_that_is_not_there(
    alice: User, bob: User, client_of: ClientOf
) -> None:
    hers, client = job(alice), client_of(bob)
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    for action in ("cancel", "retry", "replay"):
        other, none = (
            client.post(f"{API}jobs/{one}/{action}", {}, format="json").json()
            for one in (hers.id, unknown)
        )
        assert {**other, "instance": ""} == {**none, "instance": ""}
    hers.refresh_from_db()
    assert hers.status == "QUEUED"
    assert Job.objects.count() == 1


def test_history_names_who_did_it_and_replays_stay_ones_own(
    alice: User, staff: User, client_of: ClientOf
) -> None:
    hers = job(alice)
    admin = client_of(staff, ["submit", "read", "admin"])
    assert admin.post(f"{API}jobs/{hers.id}/cancel").status_code == 200
    answer = admin.post(f"{API}jobs/{hers.id}/replay").json()
    assert Job.objects.get(id=answer["id"]).owner == alice
    events = client_of(alice).get(f"{API}jobs/{hers.id}/events").json()["events"]
    assert {event["actor"] for event in events if event["kind"] == "cancel_requested"} == {"staff"}


@pytest.mark.parametrize(
    "field",
    sorted(
        {one.attname for one in Job._meta.concrete_fields}
        - {"name", "job_type", "source_file", "target_format", "parameters", "priority"}
        - {"scheduled_at", "soft_limit_seconds", "hard_limit_seconds", "metadata", "callback_url"}
    ),
)
def test_nobody_sets_what_the_queue_sets(alice: User, client_of: ClientOf, field: str) -> None:
    client = client_of(alice)
    for name in {field, field.removesuffix("_id")}:
        answer = client.post(f"{API}jobs", {"job_type": "noop", name: 1}, format="json")
        assert (name, "unknown_field") in errors_of(problem_of(answer, 400, "validation_error"))
    assert not Job.objects.exists()


def test_schedules_are_ones_own(alice: User, bob: User, client_of: ClientOf) -> None:
    hers, his = client_of(alice), client_of(bob)
    assert hers.post(f"{API}schedules", HOURLY, format="json").status_code == 201
    # Not even the name is to be found out.
    made = his.post(f"{API}schedules", HOURLY, format="json")
    assert made.status_code == 201
    assert his.post(f"{API}schedules", HOURLY, format="json").status_code == 400
    assert ids(his.get(f"{API}schedules")) == [made.json()["id"]]
    schedule = Schedule.objects.get(owner=alice)
    path = f"{API}schedules/{schedule.id}"
    assert his.patch(path, {"paused": True}, format="json").status_code == 404
    assert his.delete(path).status_code == 404
    refused = hers.patch(path, {"owner": bob.pk}, format="json")
    assert ("owner", "unknown_field") in errors_of(problem_of(refused, 400, "validation_error"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, alice: User) -> Plan:
    """Alice's plan."""
    plan = Plan(jobs_a_minute=3, concurrent_jobs=1, highest_priority=6)
    monkeypatch.setitem(PLANS, "small", plan)
    Account.objects.filter(user=alice).update(plan="small")
    return plan


def test_a_plan_bounds_priority(small: Plan, alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    for path, body in (
        ("jobs", {"job_type": "noop", "priority": 7}),
        ("schedules", {**HOURLY, "priority": "high"}),
    ):
        answer = client.post(API + path, body, format="json")
        assert errors_of(problem_of(answer, 422, "validation_error")) == {
            ("priority", "beyond_plan")
        }
    answer = client.post(f"{API}jobs", {"job_type": "urgent"}, format="json")
    assert answer.json()["priority"] == 6


def test_a_plan_bounds_how_many_are_in_work(
    small: Plan, alice: User, bob: User, client_of: ClientOf
) -> None:
    client = client_of(alice)
    states = [
        client.post(f"{API}jobs", {"job_type": "noop"}, format="json").json()["status"]
        for _ in range(2)
    ]
    assert states == ["QUEUED", "THROTTLED"]
    plan = {"owner_id": alice.pk, "concurrent_jobs": small.concurrent_jobs}
    submit_many([NewJob("noop", **plan) for _ in range(2)])
    assert Job.objects.filter(status="QUEUED").count() == 1
    assert release() == []
    Job.objects.filter(status="QUEUED").delete()
    assert release() == [5]
    assert (
        client_of(bob).post(f"{API}jobs", {"job_type": "noop"}, format="json").json()["status"]
        == "QUEUED"
    )
    Account.objects.filter(user=alice).update(plan="paid")  # the plan of now counts
    assert release() == [5, 5]


def test_a_plan_bounds_jobs_a_minute(small: Plan, alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    answers = [
        client.post(f"{API}jobs", {"job_type": "noop"}, format="json") for _ in range(7)
    ]  # at most one more minute
    problem_of(answers[-1], 429, "too_many_submissions")
    assert Job.objects.count() <= 6


def test_staff_pauses_pools_and_empties_the_dead_letter(
    staff: User, alice: User, client_of: ClientOf
) -> None:
    admin = client_of(staff, ["read", "submit", "admin"])
    paused = admin.post(f"{API}pools/low/pause", {"reason": "a new disk"}, format="json").json()
    assert (paused["paused"], paused["paused_by"], paused["reason"]) == (
        True,
        "staff",
        "a new disk",
    )
    assert [one["paused"] for one in admin.get(f"{API}pools").json()["pools"]] == [False, True]
    assert admin.post(f"{API}pools/low/resume").json()["paused"] is False
    problem_of(admin.post(f"{API}pools/none/resume"), 404, "not_found")
    job(alice)
    settle_alone(finished(claim_one(), Failed("it broke", "broken")))
    reasons = admin.get(f"{API}jobs/dead-letter").json()["reasons"]
    assert [one["jobs"] for one in reasons] == [1]
    problem_of(admin.post(f"{API}jobs/retry", {}, format="json"), 400, "validation_error")
    asked = {"owner": alice.pk, "status": "FAILED", "priority": 5}
    assert admin.post(f"{API}jobs/replay", asked, format="json").json() == {"replayed": 1}
    assert admin.post(f"{API}jobs/retry", asked, format="json").json() == {"retried": 1}
    assert set(Job.objects.values_list("status", "owner")) == {("QUEUED", alice.pk)}
