"""The schedules resource."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Schedule
from tests.accounts import ClientOf
from tests.explained import explained
from tests.integration.api.asking import UNKNOWN_ID, assert_headers, errors_of, problem_of

pytestmark = pytest.mark.django_db

SCHEDULES = "/api/v1/schedules"
NIGHTLY = {
    "name": "nightly",
    "cron": "30 2 * * mon-fri",
    "time_zone": "Europe/Berlin",
    "job_type": "simulate",
    "source_file": "a.mp4",
    "target_format": "avi",
}
SHOWN = [
    "id", "name", "cron", "time_zone", "missed_runs", "paused", "error", "next_fires", "job_type",
    "source_file", "target_format", "parameters", "priority", "max_retries", "created_at",
]  # fmt: skip


def ask(api: Client, method: str, path: str, body: object = None) -> Any:
    return api.generic(method, path, json.dumps(body).encode(), "application/json")


def created(api: Client, **changes: Any) -> dict[str, Any]:
    response = ask(api, "POST", SCHEDULES, {**NIGHTLY, **changes})
    assert response.status_code == 201, response.content
    return dict(response.json())


def test_a_new_schedule(api: Client) -> None:
    response = ask(api, "POST", SCHEDULES, {**NIGHTLY, "priority": "high", "max_retries": 0})
    body = response.json()
    assert response.status_code == 201
    assert_headers(response)
    assert response["Location"] == f"{SCHEDULES}/{body['id']}"
    assert list(body) == SHOWN
    assert {name: body[name] for name in NIGHTLY} == NIGHTLY
    assert (body["priority"], body["max_retries"]) == ("high", 0)
    assert (body["missed_runs"], body["paused"], body["error"]) == ("one", False, None)
    assert api.get(response["Location"]).json() == body
    assert Schedule.objects.get().max_attempts == 1


def test_the_next_fires_are_shown(api: Client) -> None:
    shown = created(api)["next_fires"]
    assert len(shown) == 5
    moments = [datetime.fromisoformat(text) for text in shown]
    assert all(text.endswith("Z") for text in shown)
    assert moments == sorted(moments)
    assert moments[0] > timezone.now()
    assert moments[0] == Schedule.objects.get().next_fire_at


def test_what_is_not_given(api: Client) -> None:
    response = ask(
        api, "POST", SCHEDULES,
        {"name": "n", "cron": "0 * * * *", "source_file": "a.mp4", "target_format": "avi"},
    )  # fmt: skip
    body = response.json()
    assert (body["time_zone"], body["priority"], body["max_retries"]) == ("UTC", "default", 2)
    assert body["job_type"] == "simulate"  # as for a submission: the source is not there


def test_the_list_goes_page_by_page_newest_first(api: Client) -> None:
    for name in ("b", "c", "a"):
        created(api, name=name)
    first = api.get(f"{SCHEDULES}?limit=2")
    assert [one["name"] for one in first.json()["results"]] == ["a", "c"]
    assert list(first.json()["results"][0]) == SHOWN
    assert first.json()["prev"] is None
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    second = api.get(first.json()["next"]).json()
    assert ([one["name"] for one in second["results"]], second["next"]) == (["b"], None)
    assert api.get(second["prev"]).json()["results"] == first.json()["results"]
    oldest = api.get(f"{SCHEDULES}?order=oldest").json()
    assert [one["name"] for one in oldest["results"]] == ["b", "c", "a"]


@pytest.mark.parametrize("query", ["limit=0", "order=name", "cursor=abc", "name=b"])
def test_what_no_list_has(api: Client, query: str) -> None:
    document = problem_of(api.get(f"{SCHEDULES}?{query}"), 400, "validation_error")
    assert {field for field, _ in errors_of(document)} == {query.partition("=")[0]}


def test_a_page_reads_the_index_of_its_owner(alice: User, client_of: ClientOf) -> None:
    """Not the schedules of others, of which there are many."""
    Schedule.objects.bulk_create(
        Schedule(name=f"{number}", cron="0 2 * * *", job_type="noop", owner=owner)
        for owner in (alice, None)
        for number in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_schedule")
    for client in (client_of(alice), APIClient()):
        with explained() as costs:
            assert len(client.get(f"{SCHEDULES}?limit=5").json()["results"]) == 5
        assert max(cost.buffers for cost in costs) < 50


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"cron": "61 * * * *"}, 400, ("cron", "bad_cron")),
        ({"cron": "@daily"}, 400, ("cron", "bad_cron")),
        ({"cron": 5}, 400, ("cron", "invalid")),
        ({"time_zone": "Europe/Berln"}, 400, ("time_zone", "unknown_time_zone")),
        ({"missed_runs": "some"}, 400, ("missed_runs", "invalid_choice")),
        ({"job_type": "nothing"}, 400, ("job_type", "unknown_job_type")),
        ({"target_format": "xyz"}, 400, ("target_format", "unknown_format")),
        ({"job_type": "transcode"}, 422, ("source_file", "source_not_found")),
        ({"priority": 11}, 400, ("priority", "out_of_range")),
        ({"max_retries": 101}, 400, ("max_retries", "max_value")),
        ({"parameters": []}, 400, ("parameters", "not_a_dict")),
        ({"name": ""}, 400, ("name", "blank")),
        ({"cronn": "* * * * *"}, 400, ("cronn", "unknown_field")),
    ],
)
def test_what_is_refused(
    api: Client, changes: dict[str, Any], status: int, error: tuple[str, str]
) -> None:
    response = ask(api, "POST", SCHEDULES, {**NIGHTLY, **changes})
    assert errors_of(problem_of(response, status, "validation_error")) == {error}
    assert not Schedule.objects.exists()

    address = f"{SCHEDULES}/{created(api)['id']}"
    before = Schedule.objects.values().get()
    response = ask(api, "PATCH", address, changes)
    assert errors_of(problem_of(response, status, "validation_error")) == {error}
    assert Schedule.objects.values().get() == before


@pytest.mark.parametrize("body", [[], "text", None])
def test_a_body_that_is_no_object(api: Client, body: object) -> None:
    problem_of(ask(api, "POST", SCHEDULES, body), 400, "validation_error")


def test_a_name_is_given_once(api: Client) -> None:
    created(api)
    other = created(api, name="other")
    refused = ask(api, "POST", SCHEDULES, NIGHTLY)
    assert errors_of(problem_of(refused, 400, "validation_error")) == {("name", "not_unique")}
    refused = ask(api, "PATCH", f"{SCHEDULES}/{other['id']}", {"name": "nightly"})
    assert errors_of(problem_of(refused, 400, "validation_error")) == {("name", "not_unique")}


def test_a_change(api: Client) -> None:
    before = created(api)
    address = f"{SCHEDULES}/{before['id']}"
    response = ask(api, "PATCH", address, {"cron": "0 12 * * *", "max_retries": 5})
    body = response.json()
    assert response.status_code == 200
    changed = {"cron", "max_retries", "next_fires"}
    assert {name for name in SHOWN if body[name] != before[name]} == changed
    assert api.get(address).json() == body


def test_a_source_that_is_gone_stands_in_no_other_change_s_way(api: Client) -> None:
    schedule = created(api)
    Schedule.objects.update(job_type="transcode")
    address = f"{SCHEDULES}/{schedule['id']}"
    assert ask(api, "PATCH", address, {"priority": 1}).status_code == 200
    assert ask(api, "PATCH", address, {"target_format": "mp4"}).status_code == 422


def test_pause_and_resume(api: Client) -> None:
    address = f"{SCHEDULES}/{created(api)['id']}"
    for _ in range(2):
        response = ask(api, "POST", f"{address}/pause")
        assert response.status_code == 200
        assert (response.json()["paused"], response.json()["next_fires"]) == (True, [])
    for _ in range(2):
        response = ask(api, "POST", f"{address}/resume")
        assert response.status_code == 200
        assert response.json()["paused"] is False
        assert len(response.json()["next_fires"]) == 5


def test_remove(api: Client) -> None:
    address = f"{SCHEDULES}/{created(api)['id']}"
    assert ask(api, "DELETE", address).status_code == 204
    problem_of(ask(api, "DELETE", address), 404, "not_found")
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("schedule_id", [UNKNOWN_ID, "no-id"])
def test_no_such_schedule(api: Client, schedule_id: str) -> None:
    address = f"{SCHEDULES}/{schedule_id}"
    for method, path in (
        ("GET", address), ("PATCH", address), ("DELETE", address),
        ("POST", f"{address}/pause"), ("POST", f"{address}/resume"),
    ):  # fmt: skip
        problem_of(ask(api, method, path, {}), 404, "not_found")


def test_one_that_stopped_says_why(api: Client) -> None:
    schedule = created(api)
    Schedule.objects.update(error="There is no such zone.", next_fire_at=None)
    body = api.get(f"{SCHEDULES}/{schedule['id']}").json()
    assert (body["error"], body["next_fires"]) == ("There is no such zone.", [])
