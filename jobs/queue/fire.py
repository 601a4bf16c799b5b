"""Fire the schedules whose time has come: the jobs, and that they were fired, in one commit.

Any number of maintainers may do so side by side. A schedule that one of them is at is passed over
by the others; and what is written for a moment cannot be written twice (UNIQUE).
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from accounts.models import plan_of
from jobs.cron import BadCron, BadTimeZone, Cron, parse_cron
from jobs.models import CLOCK, Job, MissedRuns, Schedule, ScheduleFire
from jobs.queue.database import fetch, is_duplicate
from jobs.queue.submit import NewJob, submit

BATCH = 100
# A run that comes later than that was missed. Workers that are being restarted miss none.
ON_TIME = timedelta(seconds=60)
MOST_MISSED = 1000
MOST_ERROR_CHARACTERS = 500
KEEP_DAYS = 90
PRUNE_BATCH = 1000

# By id and not by time: they are in the same order, and the key has an index.
_PRUNE = """
WITH oldest AS MATERIALIZED (
  SELECT id, fired_at FROM jobs_schedulefire ORDER BY id LIMIT %(batch)s
)
DELETE FROM jobs_schedulefire fire USING oldest
WHERE fire.id = oldest.id AND oldest.fired_at < clock_timestamp() - make_interval(days => %(days)s)
RETURNING fire.id
"""

log = structlog.get_logger(__name__)


def fire_due() -> list[int]:
    """Fire schedules that are due, at most BATCH, each in a transaction of its own. Returns the
    priority of each job that was made.

    A schedule that cannot be fired stops, with `error` set.
    """
    priorities: list[int] = []
    for _ in range(BATCH):
        if (made := _fire_next()) is None:
            break
        priorities.extend(made)
    return priorities


def fire_now(schedule_id: UUID) -> Job:
    """Fire once more, now; also while paused. When it fires next stays as it is.

    Raises Schedule.DoesNotExist.
    """
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update(no_key=True).get(id=schedule_id)
        job = submit(_job(schedule))
        ScheduleFire.objects.create(schedule=schedule, fire_at=job.created_at, job_id=job.id)
    return job


def prune_fires() -> bool:
    """Forget what was fired KEEP_DAYS ago, a batch of it. Returns whether there may be more."""
    return len(fetch(_PRUNE, {"batch": PRUNE_BATCH, "days": KEEP_DAYS})) == PRUNE_BATCH


@transaction.atomic
def _fire_next() -> list[int] | None:
    """Fire one that nobody else is at. None when there is none, else its jobs' priorities."""
    schedule = (
        Schedule.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(paused=False, next_fire_at__lte=CLOCK)
        .annotate(now=CLOCK)
        .order_by("next_fire_at")
        .first()
    )
    if schedule is None:
        return None
    try:
        with transaction.atomic():
            return [schedule.priority] * _fire(schedule, schedule.now)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble and not the schedule's: all of it is done once more
    except Exception as error:  # whatever is wrong with one must be in no other's way
        if not is_duplicate(error):  # else somebody has fired it meanwhile: look again
            _stop(schedule, error)
    return []


def _fire(schedule: Schedule, now: datetime) -> int:
    """Returns how many jobs were made."""
    cron = parse_cron(schedule.cron, schedule.time_zone)
    due = _due(schedule, cron, now)
    fired = set(
        ScheduleFire.objects.filter(schedule=schedule, fire_at__in=due).values_list(
            "fire_at", flat=True
        )
    )
    fires = [
        ScheduleFire(schedule=schedule, fire_at=fire_at, job_id=submit(_job(schedule, fire_at)).id)
        for fire_at in due
        if fire_at not in fired
    ]
    ScheduleFire.objects.bulk_create(fires)
    schedule.next_fire_at = cron.next_after(now)
    schedule.save(update_fields=["next_fire_at"])
    log.info("schedule.fired", schedule=schedule.name, jobs=len(fires))
    return len(fires)


def _due(schedule: Schedule, cron: Cron, now: datetime) -> list[datetime]:
    """The moments to fire for, in order: by what its policy says of those that were missed."""
    since = schedule.next_fire_at
    assert since is not None  # noqa: S101 - it was found by being due
    most = MOST_MISSED if schedule.missed_runs == MissedRuns.ALL else 1
    # What the row promised is fired even when the zone's rules have changed since.
    due = cron.newest(since, now, most) or [since]
    if schedule.missed_runs == MissedRuns.SKIP:
        return [fire_at for fire_at in due if now - fire_at <= ON_TIME]
    if len(due) == MOST_MISSED and due[0] > since:
        log.warning(
            "schedule.missed_too_many", schedule=schedule.name, since=since, made_up_from=due[0]
        )
    return due


def _job(schedule: Schedule, fire_at: datetime | None = None) -> NewJob:
    plan = plan_of(schedule.owner)
    return NewJob(
        job_type=schedule.job_type,
        name=schedule.name,
        source_file=schedule.source_file,
        target_format=schedule.target_format,
        parameters=schedule.parameters,
        priority=min(schedule.priority, plan.highest_priority),
        max_attempts=schedule.max_attempts,
        owner_id=schedule.owner_id,
        concurrent_jobs=plan.concurrent_jobs,
        scheduled_at=fire_at,
        expires_in=settings.JOB_PENDING_TIMEOUT_SECONDS or None,
    )


def _stop(schedule: Schedule, error: Exception) -> None:
    foreseen = isinstance(error, BadCron | BadTimeZone)
    schedule.next_fire_at = None
    schedule.error = str(error if foreseen else repr(error))[:MOST_ERROR_CHARACTERS]
    schedule.save(update_fields=["next_fire_at", "error"])
    log.error(
        "schedule.stopped",
        schedule=schedule.name,
        error=schedule.error,
        exc_info=None if foreseen else error,
    )
