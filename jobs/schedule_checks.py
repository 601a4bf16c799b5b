"""A check of the schedules in the database: `manage.py check --database default`."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db import DatabaseError

from jobs.checks import TAG
from jobs.cron import BadCron, BadTimeZone, parse_cron
from jobs.models import Schedule
from jobs.processors.registry import processors


@checks.register(TAG, checks.Tags.database)
def check_schedules(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> Sequence[checks.CheckMessage]:
    """Every schedule can fire. Warnings only: `migrate` runs this too and must not be kept from
    mending things."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        try:
            schedules = list(Schedule.objects.using(alias).order_by("name"))
        except DatabaseError:  # its table is not there yet
            continue
        for schedule in schedules:
            found.extend(_warnings(schedule))
    return found


def _warnings(schedule: Schedule) -> Iterator[checks.Warning]:
    try:
        parse_cron(schedule.cron, schedule.time_zone)
    except (BadCron, BadTimeZone) as error:
        yield checks.Warning(
            f"The schedule {schedule.name!r} cannot fire: {error}",
            hint="Edit it in the admin or at /api/v1/schedules.",
            id="jobs.W005",
        )
    if schedule.job_type not in processors():
        yield checks.Warning(
            f"The jobs of the schedule {schedule.name!r} will fail: there is no job type"
            f" {schedule.job_type!r}.",
            hint="Bring the job type back, see PROCESSORS, or pause the schedule.",
            id="jobs.W006",
        )
