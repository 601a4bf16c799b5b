"""Make and change recurring schedules. `jobs/queue/fire.py` fires them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.cron import BadCron, BadTimeZone, parse_cron
from jobs.models import CLOCK, Schedule
from jobs.queue.database import fetch, is_duplicate

# Values that say when it fires.
_TIMES = ("cron", "time_zone")


class NameTaken(ValueError):
    """Another schedule has this name."""


def create(**values: Any) -> Schedule:
    """A new schedule, by the fields of its row. It fires for the first time after now.

    The values of its jobs were checked by the processor of their type. Raises BadCron, BadTimeZone,
    NameTaken.
    """
    schedule = Schedule(**values)
    [(now,)] = fetch("SELECT clock_timestamp()", {})
    schedule.next_fire_at = next_fire(schedule, now)
    with _naming(schedule.name):
        schedule.save(force_insert=True)
    return schedule


def update(schedule_id: UUID, **values: Any) -> Schedule:
    """Change fields of its row. With a new cron expression or zone it begins anew: it fires next
    after now, and what it has missed by the old one is forgotten. So does one that had stopped.

    Raises Schedule.DoesNotExist, BadCron, BadTimeZone, NameTaken.
    """
    with transaction.atomic():
        schedule = (
            Schedule.objects.select_for_update(no_key=True).annotate(now=CLOCK).get(id=schedule_id)
        )
        begins_anew = bool(schedule.error) or any(
            name in values and values[name] != getattr(schedule, name) for name in _TIMES
        )
        for name, value in values.items():
            setattr(schedule, name, value)
        if begins_anew:
            schedule.error = ""
            schedule.next_fire_at = next_fire(schedule, schedule.now)
        with _naming(schedule.name):
            schedule.save(force_update=True)
    return schedule


def pause(schedule_id: UUID) -> Schedule:
    """It fires no more until it is resumed. Raises Schedule.DoesNotExist."""
    return update(schedule_id, paused=True)


def resume(schedule_id: UUID) -> Schedule:
    """It fires again. What passed while it was paused was missed: its policy says what becomes of
    that, at once. Raises Schedule.DoesNotExist."""
    return update(schedule_id, paused=False)


def delete(schedule_id: UUID) -> None:
    """Remove it and what is known of its runs; their jobs stay. Raises Schedule.DoesNotExist."""
    deleted, _ = Schedule.objects.filter(id=schedule_id).delete()
    if not deleted:
        raise Schedule.DoesNotExist


def next_fire(schedule: Schedule, after: datetime) -> datetime | None:
    """When its expression is met next. Raises BadCron, BadTimeZone."""
    return parse_cron(schedule.cron, schedule.time_zone).next_after(after)


def next_fires(schedule: Schedule, count: int) -> list[datetime]:
    """When it will fire next; none while it is paused or stopped."""
    if schedule.paused or schedule.next_fire_at is None:
        return []
    try:
        cron = parse_cron(schedule.cron, schedule.time_zone)
    except (BadCron, BadTimeZone):
        return []  # it will stop when it is due, and say so
    return list(islice(cron.after(timezone.now()), count))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if is_duplicate(error):
            raise NameTaken(f"There is already a schedule named {name!r}.") from None
        raise
