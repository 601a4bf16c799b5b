"""Values that no client means, in every field, filter and id: refused or taken, never a 500, and
whatever was taken can be read back."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scopes import ADMIN, READ
from jobs.api.job_serializers import NewJobSerializer
from jobs.api.schedule_serializers import ScheduleBodySerializer
from jobs.api.selection import SelectionSerializer
from jobs.models import Job, Schedule
from tests.accounts import ClientOf
from tests.integration.api.asking import UNKNOWN_ID, errors_of, problem_of, send
from tests.rows import new_job
from tests.schedules import hourly

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
SCHEDULES = "/api/v1/schedules"
JOB = {"source_file": "a.mp4", "target_format": "avi"}
SCHEDULE = {**JOB, "name": "nightly", "cron": "30 2 * * *"}
SAME_CLIENT = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

WORDS = [
    "", " ", "0", "-1", "1e3", "NaN", "Infinity", "null", "true", "\x7f", "\u202e", "\uffff", "٣",
    "\U0010ffff", "a" * 300, "9" * 300, "../../etc/passwd", "/etc/passwd", "UTC\n", "Etc/../UTC",
    "' OR 1=1 --", "%s%n", "{}", "\\", "QUEUED", "high", "simulate",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z",
    "2030-02-30T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T00:00:00+99:99", "+030-01-01",
    "*/0 * * * *", "0-99999999999 * * * *", "* * * * * *", "0 0 31 2 *", "0 0 * * 1#9", "@reboot",
    "* * * * \n", "L L L L L", f"{'0,' * 45}0 * * * *",
]  # fmt: skip
OTHERS: list[object] = [
    None, True, False, 0, -1, 1, 101, 2**31, 2**63, 10**19, -(10**18), 0.0, -0.0, 1e-320, 1.5,
    1e308, -1e308, [], [[]], {}, {"": {}}, [None], ["a"], {"a": [1]},
]  # fmt: skip


@pytest.mark.parametrize("name", NewJobSerializer().fields)
def test_fields_of_a_job(api: Client, name: str) -> None:
    for value in [*WORDS, *OTHERS]:
        _taken_or_refused(api, JOBS, {**JOB, name: value}, Job)


@pytest.mark.parametrize("name", ScheduleBodySerializer().fields)
def test_fields_of_a_schedule(api: Client, name: str) -> None:
    for value in [*WORDS, *OTHERS]:
        _taken_or_refused(api, SCHEDULES, {**SCHEDULE, name: value}, Schedule)


def _taken_or_refused(
    api: Client, path: str, body: dict[str, Any], model: type[Job] | type[Schedule]
) -> None:
    response = send(api, "POST", path, body)
    if response.status_code == 201:
        shown = response.json()
        assert api.get(response["Location"]).json() == shown, body
        assert api.get(path).json()["results"] == [shown], body
        model.objects.all().delete()
    else:
        assert response.status_code in {400, 422}, (body, response.content[:500])
        document = problem_of(response, response.status_code, "validation_error")
        assert document["errors"]
        assert not model.objects.exists(), body


@pytest.mark.parametrize("name", ScheduleBodySerializer().fields)
def test_fields_of_a_schedule_that_is_there(api: Client, name: str) -> None:
    address = f"{SCHEDULES}/{hourly().id}"
    for value in [*WORDS, *OTHERS]:
        before = Schedule.objects.values().get()
        response = send(api, "PATCH", address, {name: value})
        assert response.status_code in {200, 400, 422}, (value, response.content[:500])
        if response.status_code != 200:
            assert Schedule.objects.values().get() == before
        assert api.get(address).status_code == 200


VALUES = st.sampled_from([*WORDS, *OTHERS]) | st.text(max_size=300) | st.integers() | st.floats()


@SAME_CLIENT
@given(changes=st.dictionaries(st.sampled_from(list(NewJobSerializer().fields)), VALUES))
def test_any_values_together(api: Client, changes: dict[str, Any]) -> None:
    before = Job.objects.count()

    response = send(api, "POST", JOBS, {**JOB, **changes})

    assert response.status_code in {201, 400, 422}, response.content[:500]
    assert Job.objects.count() - before == (response.status_code == 201)
    assert api.get(JOBS).status_code == 200


FILTERS = [*SelectionSerializer().fields, "limit", "cursor"]


@pytest.mark.parametrize("name", FILTERS)
def test_filters(api: Client, name: str) -> None:
    new_job()
    for value in WORDS:
        _listed_or_refused(api, f"{JOBS}?{name}={quote(value)}")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (JOBS, "order=newest"),
        (f"{JOBS}/stats", "hours=1"),
        (f"{JOBS}/dead-letter", "status=FAILED"),
        ("/api/v1/webhooks/deliveries", "order=newest"),
    ],
)
def test_parameters_that_nobody_has_or_that_come_twice(
    staff: User, client_of: ClientOf, path: str, parameter: str
) -> None:
    client = client_of(staff, [READ, ADMIN])
    assert client.get(f"{path}?{parameter}").status_code == 200
    name = parameter.partition("=")[0]
    for query, field, code in (
        (f"{parameter}&colour=red", "colour", "unknown_field"),
        (f"{parameter}&id__gt=0", "id__gt", "unknown_field"),
        (f"{parameter}&owner__password=x", "owner__password", "unknown_field"),
        (f"{parameter}&page=2&offset=9", "offset", "unknown_field"),
        (f"{parameter}&{parameter}", name, "repeated"),
        (f"{parameter}&{name}=", name, "repeated"),
    ):
        document = problem_of(client.get(f"{path}?{query}"), 400, "validation_error")
        assert (field, code) in errors_of(document), query


def test_pages_that_are_too_large_or_too_far(api: Client) -> None:
    for query, field, code in (
        ("limit=0", "limit", "out_of_range"),
        ("limit=-1", "limit", "out_of_range"),
        ("limit=201", "limit", "out_of_range"),
        ("limit=" + "9" * 5_000, "limit", "out_of_range"),
        ("limit=1e2", "limit", "out_of_range"),
        ("limit=", "limit", "out_of_range"),
        ("order=-id", "order", "invalid_choice"),
        ("order=random()", "order", "invalid_choice"),
        ("cursor=bz0x", "cursor", "invalid"),
    ):
        for path in (JOBS, "/api/v1/webhooks/deliveries"):
            document = problem_of(api.get(f"{path}?{query}"), 400, "validation_error")
            assert errors_of(document) == {(field, code)}, query


def test_windows(api: Client) -> None:
    for value in WORDS:
        _listed_or_refused(api, f"{JOBS}/stats?hours={quote(value)}")


def _listed_or_refused(api: Client, address: str) -> None:
    response = api.get(address)
    if response.status_code != 200:
        assert problem_of(response, 400, "validation_error")["errors"], address


@pytest.mark.parametrize("name", [*FILTERS, "hours"])
def test_filters_that_are_not_text(api: Client, name: str) -> None:
    path = f"{JOBS}/stats" if name == "hours" else JOBS
    for value in ("%00", "%FF", "%ED%A0%80", "%C0%AF"):
        problem_of(api.get(f"{path}?{name}={value}"), 400, "bad_request")


STRANGE_IDS = [
    "0", "x" * 5000, "..", "%20", "%2e%2e", "٣" * 32, "{" + UNKNOWN_ID, "urn:uuid:", "null",
    UNKNOWN_ID[:-1], UNKNOWN_ID + "0", "-" * 36, "f" * 33, "%F0%9F%92%A9",
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", JOBS + "/{}"),
        ("DELETE", JOBS + "/{}"),
        ("GET", JOBS + "/{}/events"),
        *[("POST", JOBS + "/{}/" + what) for what in ("cancel", "retry", "replay")],
        *[(method, SCHEDULES + "/{}") for method in ("GET", "PATCH", "DELETE")],
        *[("POST", SCHEDULES + "/{}/" + what) for what in ("pause", "resume")],
    ],
)
def test_ids_that_are_none(api: Client, method: str, address: str) -> None:
    new_job()
    before = Job.objects.values().get()
    for strange in STRANGE_IDS:
        problem_of(api.generic(method, address.replace("{}", strange)), 404, "not_found")
    assert Job.objects.values().get() == before
