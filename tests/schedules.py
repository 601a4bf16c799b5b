"""Schedules as they stand after something was missed, for tests."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from jobs.cron import parse_cron
from jobs.models import Job, Schedule, ScheduleFire
from jobs.queue.schedules import create


def hourly(name: str = "hourly", **values: Any) -> Schedule:
    """Fires half an hour from now, and so never while a test looks."""
    minute = (timezone.now().minute + 30) % 60
    return create(name=name, cron=f"{minute} * * * *", **{"job_type": "noop"} | values)


def miss(schedule: Schedule, runs: int) -> list[datetime]:
    """As if nobody had fired it the last `runs` times. Returns those moments."""
    now = timezone.now()
    cron = parse_cron(schedule.cron, schedule.time_zone)
    missed = cron.newest(now - timedelta(days=366), now, runs)
    assert len(missed) == runs
    Schedule.objects.filter(id=schedule.id).update(next_fire_at=missed[0])
    return missed


def fired(schedule: Schedule) -> list[datetime]:
    """The moments it was fired for. Every one has its job, made for that moment, and there are no
    other jobs."""
    fires = list(ScheduleFire.objects.filter(schedule=schedule).order_by("fire_at"))
    jobs = Job.objects.in_bulk([fire.job_id for fire in fires])
    assert [jobs[fire.job_id].scheduled_at for fire in fires] == [fire.fire_at for fire in fires]
    assert Job.objects.count() == ScheduleFire.objects.count()
    return [fire.fire_at for fire in fires]
