"""The admin shows rows; what it changes it changes by the queue."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from jobs.admin import read_only
from jobs.models import Job, JobEvent, WorkerProcess
from jobs.outcomes import Failed
from jobs.queue.finish import finish
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.rows import claim_one, finished, job_in, new_job
from tests.schedules import hourly

pytestmark = pytest.mark.django_db

JOBS = "/admin/jobs/job/"


@pytest.fixture
def staff(db: None) -> Client:
    """Signed in, with every permission there is. To hash a password would only take time."""
    client = Client()
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def jobs() -> list[Job]:
    """One job a priority name."""
    return [
        submit(NewJob("simulate", f"{priority}.mp4", "avi", priority=priority))
        for priority in (10, 5, 1)
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["1.mp4", "5.mp4", "10.mp4"]),
        ("?status=QUEUED", ["1.mp4", "5.mp4", "10.mp4"]),
        ("?status=FAILED", []),
        ("?priority=default", ["5.mp4"]),
        ("?job_type=transcode", []),
        ("?job_type=simulate&priority=high", ["10.mp4"]),
        ("?q=no-id", []),
    ],
)
def test_lists_and_filters(staff: Client, jobs: list[Job], query: str, shown: list[str]) -> None:
    response = staff.get(JOBS + query)

    assert response.status_code == 200
    assert [job.source_file for job in response.context["cl"].result_list] == shown


def test_lists_are_of_the_newest(
    staff: Client, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old job is found by its id, and among those that FAILED by their own index."""
    monkeypatch.setattr(read_only, "NEWEST", 2)
    old = jobs[0]

    assert old not in staff.get(JOBS).context["cl"].result_list
    assert old in staff.get(JOBS, {"q": str(old.id)}).context["cl"].result_list
    assert staff.get(f"{JOBS}{old.id}/change/").status_code == 200
    finish([finished(claim_one(), Failed("no"))])
    found = staff.get(JOBS, {"status__exact": "FAILED"}).context["cl"].result_list
    assert list(found) == [old]


def test_a_user_is_found_by_his_whole_name_and_else_among_the_newest(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "NEWEST", 2)
    old, *_ = [User.objects.create(username=name, email=f"{name}@example.org") for name in "abc"]
    users = "/admin/auth/user/"

    def listed(**query: str) -> str:
        return "".join(user.username for user in staff.get(users, query).context["cl"].result_list)

    assert (listed(), listed(q="example"), listed(q="a"), listed(q="b@")) == ("bc", "bc", "a", "b")
    assert staff.get(f"{users}{old.pk}/change/").status_code == 200


@pytest.mark.parametrize("address", ["/admin/auth/user/", "/admin/jobs/schedule/"])
def test_what_is_counted_has_a_bound(
    staff: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_only, "NEWEST", 2)
    for name in ("one", "two", "three"):
        hourly(name)
        User.objects.create(username=name)
    for query in ({}, {"q": "o"}):
        with CaptureQueriesContext(connection) as asked:
            assert len(staff.get(address, query).context["cl"].result_list) <= 2
        counts = [one["sql"] for one in asked if "COUNT(" in one["sql"]]
        assert counts
        assert all('"id" >= ' in sql for sql in counts), counts


def test_search_is_by_id(staff: Client, jobs: list[Job]) -> None:
    response = staff.get(JOBS, {"q": f" {jobs[1].id} "})

    assert list(response.context["cl"].result_list) == [jobs[1]]


def test_number_of_queries_does_not_grow_with_rows(
    staff: Client, jobs: list[Job], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(5):  # session, user, the newest, count, page
        staff.get(JOBS)


def test_nothing_can_be_changed(staff: Client, jobs: list[Job]) -> None:
    job = jobs[0]

    assert staff.get(f"{JOBS}{job.id}/change/").status_code == 200
    for path in (f"{JOBS}{job.id}/change/", f"{JOBS}{job.id}/delete/", f"{JOBS}add/"):
        assert staff.post(path, {"status": "COMPLETED"}).status_code == 403
    staff.post(JOBS, {"action": "delete_selected", "_selected_action": str(job.id)})

    assert Job.objects.filter(status="QUEUED").count() == 3


def test_other_models(staff: Client) -> None:
    WorkerProcess.objects.create(name="host:1", version="1", pools={"high": 4})

    for model in ("jobmetrics", "workerprocess"):
        assert staff.get(f"/admin/jobs/{model}/").status_code == 200
        assert staff.post(f"/admin/jobs/{model}/add/").status_code == 403


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    assert client.get(JOBS).status_code == 302


@pytest.mark.parametrize(
    ("action", "status", "afterwards", "message"),
    [
        ("cancel", "QUEUED", "CANCELLED", "1 of 1 jobs cancelled"),
        ("cancel", "COMPLETED", "COMPLETED", "0 of 1 jobs cancelled"),
        ("retry", "FAILED", "QUEUED", "1 of 1 jobs queued again"),
        ("retry", "COMPLETED", "COMPLETED", "0 of 1 jobs queued again"),
        ("replay", "FAILED", "FAILED", "1 of 1 jobs submitted anew"),
    ],
)
def test_actions_go_by_the_queue(
    staff: Client, action: str, status: str, afterwards: str, message: str
) -> None:
    job = job_in(Status(status))

    response = staff.post(JOBS, {"action": action, "_selected_action": str(job.id)}, follow=True)

    assert message in response.content.decode()
    job.refresh_from_db()
    assert job.status == afterwards
    if afterwards != status:
        assert JobEvent.objects.get().actor == "root"


def test_actions_want_the_permission_to_change(db: None) -> None:
    job = job_in(Status.QUEUED)
    looker = User.objects.create(username="looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_job"))
    client = Client()
    client.force_login(looker)

    assert client.get(JOBS).status_code == 200
    client.post(JOBS, {"action": "cancel", "_selected_action": str(job.id)}, follow=True)

    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_the_page_of_a_job_tells_its_attempts(staff: Client) -> None:
    job = new_job(max_attempts=1)
    finish([finished(claim_one(), Failed("broken", traceback="at line 7"))])

    page = staff.get(f"{JOBS}{job.id}/change/").content.decode()

    assert "at line 7" in page
