"""What a job's row told of it, now and before each time that somebody retried it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Value

from jobs.models import Job, JobAttempt, JobEvent
from jobs.states import FINAL, Status

RETRIED = "retried"
# After these a job waits for a moment of its own.
_WAITS = ("retry", "snoozed")
# It reads the clock for what is due at once before it does for the end of the attempt.
_ONE_STATEMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Life:
    """From its first being queued, or a retry, to its end."""

    status: str
    scheduled_at: datetime | None
    queued_at: datetime | None
    completed_at: datetime | None
    error_code: str
    error_message: str

    def error(self) -> dict[str, Any]:
        """Of one that FAILED."""
        if self.status != Status.FAILED:
            return {}
        return {"error_code": self.error_code, "error_message": self.error_message}

    def ended_at(self) -> datetime | None:
        """When it was final."""
        return self.completed_at if self.status in FINAL else None


def lives_of(job: Job, asked: Iterable[JobEvent]) -> Iterator[Life]:
    """That before each of these events that is a retry, and the present one."""
    for row in asked:
        if row.kind == RETRIED:
            yield Life(
                row.detail["status"],
                _moment(row.detail, "scheduled_at"),
                _moment(row.detail, "queued_at"),
                _moment(row.detail, "completed_at"),
                row.detail["error_code"],
                row.detail["error_message"],
            )
    yield Life(
        job.status,
        job.scheduled_at,
        job.queued_at,
        job.completed_at,
        job.error_code,
        job.error_message,
    )


def decided(job: Job, lives: Iterable[Life]) -> Iterator[tuple[datetime, datetime]]:
    """When each life's `scheduled_at` was decided, and that: it is the time that was asked for, or
    that of the newest retry or snooze. Nothing of what was due at once."""
    scheduled = [life.scheduled_at for life in lives if life.scheduled_at is not None]
    ends = _ends_before(job, scheduled)
    for at in scheduled:
        moment = ends.get(at, job.created_at)
        if at > moment:
            yield moment, at


def _ends_before(job: Job, moments: list[datetime]) -> dict[datetime, datetime]:
    """The end of the last attempt before each moment after which the job waited: one statement."""
    waits = JobAttempt.objects.filter(job=job, outcome__in=_WAITS).order_by("-ended_at")
    found = [
        waits.filter(started_at__lte=at, ended_at__lte=at + _ONE_STATEMENT).values_list(
            Value(at, DateTimeField()), "ended_at"
        )[:1]
        for at in moments
    ]
    return dict(found[0].union(*found[1:], all=True)) if found else {}


def _moment(detail: dict[str, Any], name: str) -> datetime | None:
    return None if detail.get(name) is None else datetime.fromisoformat(detail[name])
