"""Schedules fire what their policy says, once, whoever and however many fire them."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone
from pytest_django import Settings

from jobs.cron import Cron, parse_cron
from jobs.models import CLOCK, Job, Schedule, ScheduleFire
from jobs.queue import fire
from jobs.queue.due import seconds_until_due
from jobs.queue.fire import fire_due, fire_now, prune_fires
from jobs.states import Status
from tests.rows import new_job
from tests.schedules import fired, hourly, miss
from tests.workers import PROJECT, database_url

pytestmark = pytest.mark.django_db


def test_a_due_schedule_fires_its_job() -> None:
    schedule = hourly(
        job_type="noop", source_file="a.mp4", target_format="avi", parameters={"a": 1},
        priority=8, max_attempts=7,
    )  # fmt: skip
    [due] = miss(schedule, 1)
    assert fire_due() == [8]
    assert fired(schedule) == [due]
    job = Job.objects.get()
    assert (job.status, job.name) == (Status.QUEUED, "hourly")
    assert (job.job_type, job.source_file, job.target_format) == ("noop", "a.mp4", "avi")
    assert (job.parameters, job.priority, job.max_attempts) == ({"a": 1}, 8, 7)
    schedule.refresh_from_db()
    assert schedule.next_fire_at == due + timedelta(hours=1)
    assert fire_due() == []


def test_its_jobs_expire_as_others_do(settings: Settings) -> None:
    settings.JOB_PENDING_TIMEOUT_SECONDS = 60.0
    miss(hourly(), 1)
    fire_due()
    job = Job.objects.get()
    assert job.expires_at is not None
    assert job.expires_at - job.created_at == timedelta(seconds=60)


def test_one_that_is_not_due_does_not() -> None:
    hourly()
    assert fire_due() == []
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("policy", "made_up_for"), [("skip", slice(0)), ("one", slice(-1, None)), ("all", slice(None))]
)
def test_what_was_missed_goes_by_policy(policy: str, made_up_for: slice) -> None:
    schedule = hourly(missed_runs=policy)
    missed = miss(schedule, 5)
    fire_due()
    assert fired(schedule) == missed[made_up_for]
    schedule.refresh_from_db()
    assert schedule.next_fire_at == missed[-1] + timedelta(hours=1)


def test_a_run_that_is_late_by_less_than_a_minute_is_not_missed() -> None:
    schedule = hourly(missed_runs="skip")
    now = timezone.now()
    # The expression met now, and its time half a minute ago: as after a restart of the workers.
    late = (now - timedelta(seconds=30)).replace(microsecond=0)
    Schedule.objects.update(next_fire_at=late)
    fire_due()
    assert fired(schedule) == [late]


def test_no_more_than_a_thousand_are_made_up_for(caplog: pytest.LogCaptureFixture) -> None:
    schedule = hourly(missed_runs="all")
    missed = miss(schedule, 1100)
    assert len(fire_due()) == 1000
    assert fired(schedule) == missed[100:]
    assert "schedule.missed_too_many" in caplog.text
    assert fire_due() == []


def test_exactly_a_thousand_are_no_matter_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    schedule = hourly(missed_runs="all")
    missed = miss(schedule, 1000)
    fire_due()
    assert fired(schedule) == missed
    assert "schedule.missed_too_many" not in caplog.text


def test_a_moment_that_is_noted_is_not_fired_again() -> None:
    schedule = hourly(missed_runs="all")
    missed = miss(schedule, 3)
    job = new_job(scheduled_at=missed[1])
    ScheduleFire.objects.create(schedule=schedule, fire_at=missed[1], job_id=job.id)
    assert len(fire_due()) == 2
    assert fired(schedule) == missed


def test_a_paused_schedule_waits() -> None:
    schedule = hourly(paused=True)
    miss(schedule, 3)
    assert fire_due() == []
    assert seconds_until_due() is None


def test_what_was_promised_is_fired_though_the_rules_have_changed() -> None:
    schedule = hourly()
    promised = timezone.now().replace(second=17, microsecond=0) - timedelta(minutes=3)
    Schedule.objects.update(next_fire_at=promised)
    fire_due()
    assert fired(schedule) == [promised]


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({"cron": "nonsense"}, "five fields"),
        ({"time_zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
    ],
)
def test_one_that_cannot_be_read_stops_and_says_why(
    broken: dict[str, str], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = hourly("bad"), hourly("good")
    miss(bad, 2)
    [due] = miss(good, 1)
    Schedule.objects.filter(id=bad.id).update(**broken)
    fire_due()
    assert fired(good) == [due]
    bad.refresh_from_db()
    assert bad.next_fire_at is None
    assert complaint in bad.error
    assert "schedule.stopped" in caplog.text
    assert fire_due() == []


def test_a_job_that_no_row_can_hold_stops_its_schedule_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_schedule DROP CONSTRAINT schedule_is_possible")
    bad, good = hourly("bad"), hourly("good")
    miss(bad, 2)
    [due] = miss(good, 1)
    Schedule.objects.filter(id=bad.id).update(priority=-7)
    fire_due()
    assert fired(good) == [due]
    bad.refresh_from_db()
    assert "job_is_possible" in bad.error


def test_a_failure_that_nobody_foresaw_stops_its_schedule_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = hourly("bad", time_zone="Asia/Kolkata"), hourly("good")
    miss(bad, 1)
    [due] = miss(good, 1)

    def failing(cron: str, time_zone: str) -> Cron:
        if time_zone == "Asia/Kolkata":
            raise ZeroDivisionError("a defect")
        return parse_cron(cron, time_zone)

    monkeypatch.setattr(fire, "parse_cron", failing)
    fire_due()
    assert fired(good) == [due]
    bad.refresh_from_db()
    assert bad.error == "ZeroDivisionError('a defect')"
    assert "exc_info" in caplog.text


def test_fire_now_is_one_more_and_moves_nothing() -> None:
    schedule = hourly(paused=True)
    before = schedule.next_fire_at
    job = fire_now(schedule.id)
    assert job.status == Status.QUEUED
    [one] = ScheduleFire.objects.all()
    assert (one.job_id, one.fire_at) == (job.id, job.created_at)
    schedule.refresh_from_db()
    assert schedule.next_fire_at == before


def test_what_was_fired_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = hourly(missed_runs="all")
    miss(schedule, 10)
    fire_due()
    old = ScheduleFire.objects.order_by("id").values("id")[:7]
    ScheduleFire.objects.filter(id__in=old).update(fired_at=F("fired_at") - timedelta(days=91))
    monkeypatch.setattr(fire, "PRUNE_BATCH", 5)
    assert prune_fires()
    assert not prune_fires()
    assert ScheduleFire.objects.count() == 3
    assert not prune_fires()
    assert ScheduleFire.objects.count() == 3
    assert Job.objects.count() == 10


def test_seconds_until_due_is_of_the_first_of_both() -> None:
    assert seconds_until_due() is None
    schedule = hourly()
    Schedule.objects.update(next_fire_at=CLOCK + timedelta(seconds=100))
    assert seconds_until_due() == pytest.approx(100, abs=20)
    new_job(scheduled_at=timezone.now() + timedelta(seconds=50))
    new_job()
    assert seconds_until_due() == pytest.approx(50, abs=20)
    miss(schedule, 1)
    assert (seconds_until_due() or 0) < 0


def _at_once(maintainers: int) -> None:
    """All fire together, each on a connection of its own, until nothing is due."""
    start = threading.Barrier(maintainers)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(60)
            while Schedule.objects.filter(next_fire_at__lte=CLOCK).exists():
                fire_due()
        except BaseException as error:  # told by the thread that waits
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(maintainers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locking", [True, False], ids=["locking", "without any lock"])
@pytest.mark.parametrize("maintainers", [2, 5])
def test_maintainers_at_once_never_fire_twice(
    maintainers: int, locking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is for speed: that a moment is unique is enough."""
    if not locking:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    schedules = [hourly(f"schedule {number}", missed_runs="all") for number in range(8)]
    missed = [miss(schedule, 12) for schedule in schedules]
    _at_once(maintainers)
    assert [fired(schedule) for schedule in schedules] == missed
    assert not Schedule.objects.exclude(error="").exists()


KILLED = """
import os, signal
import django
django.setup()
from jobs.queue import fire

def after(name):
    original = getattr(fire, name)
    def killing(*args):
        original(*args)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(fire, name, killing)

after({name!r})
fire.fire_due()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("name", "left_behind"), [("submit", 0), ("_fire", 0), ("_fire_next", 3)])
def test_a_maintainer_killed_anywhere_loses_nothing_and_repeats_nothing(
    name: str, left_behind: int
) -> None:
    """After the first job, before the commit, after the commit."""
    schedule = hourly(missed_runs="all")
    missed = miss(schedule, 3)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED.format(name=name)],
        cwd=PROJECT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
            "DATABASE_URL": database_url(),
        },
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    # The server notices a moment later that its client is gone; it then gives up the lock.
    _wait_for_the_lock(schedule)
    assert Job.objects.count() == left_behind
    fire_due()
    assert fired(schedule) == missed


def _wait_for_the_lock(schedule: Schedule) -> None:
    Schedule.objects.filter(id=schedule.id).update(name=F("name"))
