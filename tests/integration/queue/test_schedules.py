"""Schedules are made, changed, paused and resumed; when they fire next follows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.cron import BadCron, BadTimeZone
from jobs.models import Job, Schedule
from jobs.queue import schedules
from jobs.queue.fire import fire_due
from jobs.queue.schedules import NameTaken, create, delete, next_fires, pause, resume, update
from tests.schedules import fired, hourly, miss

pytestmark = pytest.mark.django_db


def test_a_new_one_knows_when_it_fires_first() -> None:
    schedule = create(name="new year", cron="0 0 1 1 *", time_zone="Asia/Kolkata", job_type="noop")
    stored = Schedule.objects.get(id=schedule.id)
    year = timezone.now().year + 1
    assert stored.next_fire_at in {
        datetime(year, 12, 31, 18, 30, tzinfo=UTC),
        datetime(year - 1, 12, 31, 18, 30, tzinfo=UTC),
    }
    assert not Job.objects.exists()


@pytest.mark.parametrize("change", [{"cron": "0 0 29 2 *"}, {"time_zone": "Asia/Kolkata"}])
def test_a_new_time_begins_anew(change: dict[str, str]) -> None:
    schedule = hourly(missed_runs="all")
    miss(schedule, 3)
    changed = update(schedule.id, **change)
    assert changed.next_fire_at is not None
    assert changed.next_fire_at > timezone.now()
    assert changed.next_fire_at == schedules.next_fire(changed, timezone.now())
    assert fire_due() == []


def test_other_changes_and_the_same_time_leave_it_be() -> None:
    schedule = hourly(missed_runs="all")
    missed = miss(schedule, 3)
    update(schedule.id, priority=9, cron=schedule.cron, time_zone=schedule.time_zone)
    assert fire_due() == [9, 9, 9]
    assert fired(schedule) == missed


@pytest.mark.parametrize(
    ("policy", "made_up_for"), [("skip", slice(0)), ("one", slice(-1, None)), ("all", slice(None))]
)
def test_what_passed_during_a_pause_was_missed(policy: str, made_up_for: slice) -> None:
    schedule = hourly(missed_runs=policy)
    pause(schedule.id)
    missed = miss(schedule, 4)
    assert fire_due() == []
    resume(schedule.id)
    fire_due()
    assert fired(schedule) == missed[made_up_for]


def test_one_that_had_stopped_goes_on_when_it_is_mended() -> None:
    schedule = hourly()
    miss(schedule, 1)
    Schedule.objects.update(cron="nonsense")
    fire_due()
    mended = update(schedule.id, cron="0 0 * * *")
    assert mended.error == ""
    assert mended.next_fire_at is not None


def test_what_cannot_be_read_is_refused_and_changes_nothing() -> None:
    with pytest.raises(BadCron):
        create(name="a", cron="* * *", job_type="noop")
    with pytest.raises(BadTimeZone):
        create(name="a", cron="* * * * *", time_zone="Nowhere", job_type="noop")
    assert not Schedule.objects.exists()
    schedule = hourly()
    with pytest.raises(BadCron):
        update(schedule.id, cron="61 * * * *", priority=1)
    assert Schedule.objects.get() == schedule
    assert Schedule.objects.get().priority == schedule.priority


def test_names_are_unique() -> None:
    hourly("one")
    two = hourly("two")
    with pytest.raises(NameTaken, match="already a schedule named 'one'"):
        hourly("one")
    with pytest.raises(NameTaken):
        update(two.id, name="one")
    assert Schedule.objects.count() == 2


@pytest.mark.parametrize("values", [{"priority": 11}, {"max_attempts": 0}])
def test_the_database_refuses_what_no_job_can_have(values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        hourly(**values)


def test_jobs_outlive_their_schedule() -> None:
    schedule = hourly()
    miss(schedule, 1)
    fire_due()
    delete(schedule.id)
    assert not Schedule.objects.exists()
    assert Job.objects.count() == 1


def test_one_that_is_not_there() -> None:
    for operation in (pause, resume, delete):
        with pytest.raises(Schedule.DoesNotExist):
            operation(uuid4())


def test_the_next_fires() -> None:
    schedule = hourly()
    first = schedule.next_fire_at
    assert first is not None
    assert next_fires(schedule, 3) == [first + timedelta(hours=hours) for hours in range(3)]
    assert next_fires(pause(schedule.id), 3) == []
    Schedule.objects.update(time_zone="Nowhere", paused=False)
    assert next_fires(Schedule.objects.get(), 3) == []
