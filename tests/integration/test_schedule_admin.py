"""People edit schedules in the admin; what cannot fire is refused in words."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import Job, Schedule, ScheduleFire
from tests.schedules import fired, hourly, miss

pytestmark = pytest.mark.django_db

SCHEDULES = "/admin/jobs/schedule/"
VALUES = {
    "name": "nightly",
    "cron": "30 2 * * *",
    "time_zone": "Europe/Berlin",
    "missed_runs": "one",
    "job_type": "simulate",
    "source_file": "a.mp4",
    "target_format": "avi",
    "parameters": "{}",
    "priority": "5",
    "max_attempts": "3",
}


@pytest.fixture
def staff() -> Client:
    """Signed in, with every permission there is."""
    client = Client()
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    return client


def errors(response: Any) -> dict[str, list[str]]:
    """By field."""
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_a_new_one_fires(staff: Client) -> None:
    assert staff.post(f"{SCHEDULES}add/", VALUES).status_code == 302
    schedule = Schedule.objects.get()
    assert (schedule.name, schedule.parameters, schedule.owner) == ("nightly", {}, None)
    assert schedule.next_fire_at is not None


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("cron", "* * *", "five fields"),
        ("time_zone", "Europe/Berln", "Did you mean Europe/Berlin?"),
        ("job_type", "nothing", "There is no job type 'nothing'"),
        ("parameters", "[1]", "Give an object."),
        ("parameters", "nonsense", "valid JSON"),
        ("name", "hourly", "already exists"),
        ("priority", "11", "Priorities run from 0 to 10"),
        ("max_attempts", "0", "attempts from 1"),
    ],
)
def test_what_makes_no_sense_is_refused(
    staff: Client, field: str, value: str, complaint: str
) -> None:
    hourly()
    found = errors(staff.post(f"{SCHEDULES}add/", {**VALUES, field: value}))
    blamed = field if field not in {"name", "priority", "max_attempts"} else "__all__"
    assert set(found) == {blamed}
    assert complaint in found[blamed][0]
    assert Schedule.objects.count() == 1


def test_a_source_that_is_not_there_is_named(staff: Client) -> None:
    found = errors(staff.post(f"{SCHEDULES}add/", {**VALUES, "job_type": "transcode"}))
    assert set(found) == {"source_file"}


def test_a_changed_time_counts_at_once(staff: Client) -> None:
    schedule = hourly("nightly")
    before = schedule.next_fire_at
    response = staff.post(f"{SCHEDULES}{schedule.id}/change/", {**VALUES, "cron": "0 0 29 2 *"})
    assert response.status_code == 302
    schedule.refresh_from_db()
    assert schedule.cron == "0 0 29 2 *"
    assert schedule.next_fire_at != before


def test_the_page_tells_when_it_fires_next(staff: Client) -> None:
    staff.post(f"{SCHEDULES}add/", VALUES)
    schedule = Schedule.objects.get()
    page = staff.get(f"{SCHEDULES}{schedule.id}/change/").content.decode()
    assert page.count("02:30 CE") == 5
    Schedule.objects.update(time_zone="Nowhere")
    assert staff.get(f"{SCHEDULES}{schedule.id}/change/").status_code == 200
    assert staff.get(SCHEDULES).status_code == 200


def test_actions(staff: Client) -> None:
    one, two = hourly("one"), hourly("two")

    def act(action: str) -> Any:
        chosen = [str(one.id), str(two.id)]
        return staff.post(SCHEDULES, {"action": action, "_selected_action": chosen}, follow=True)

    act("pause")
    assert Schedule.objects.filter(paused=True).count() == 2
    page = act("fire_now").content.decode()
    assert all(str(job.id) in page for job in Job.objects.all())
    assert [fire.schedule for fire in ScheduleFire.objects.order_by("id")] == [one, two]
    act("resume")
    assert Schedule.objects.filter(paused=False).count() == 2
    response = staff.post(
        SCHEDULES,
        {"action": "delete_selected", "_selected_action": [str(one.id)], "post": "yes"},
    )
    assert response.status_code == 302
    assert [schedule.name for schedule in Schedule.objects.all()] == ["two"]


def test_what_was_fired_is_shown_and_not_edited(staff: Client) -> None:
    from jobs.queue.fire import fire_due

    schedule = hourly()
    miss(schedule, 1)
    fire_due()
    assert len(fired(schedule)) == 1
    page = staff.get("/admin/jobs/schedulefire/").content.decode()
    assert str(Job.objects.get().id) in page
    assert staff.post("/admin/jobs/schedulefire/add/").status_code == 403
    change = f"/admin/jobs/schedulefire/{ScheduleFire.objects.get().id}/change/"
    assert staff.post(change).status_code == 403


def test_who_may_not_change_them_cannot(db: None) -> None:
    hourly()
    client = Client()
    client.force_login(User.objects.create(username="guest", is_staff=True))
    assert client.get(SCHEDULES).status_code == 403
