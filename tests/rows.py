"""Rows in a given state, for tests of the queue."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from jobs.attempt import Attempt
from jobs.models import Job
from jobs.outcomes import Completed, Metrics
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit
from jobs.states import Status

ALL = Demand(0, 10, "test", 30.0)
DONE = Completed(Metrics(peak_cpu_usage=7, memory_usage_mb=11, processing_time_seconds=0.5))


def new_job(priority: int = 5, **values: Any) -> Job:
    """One submitted no-op."""
    return submit(NewJob("noop", "a.mp4", "avi", priority=priority, **values))


def claim(want: int = 1, demand: Demand = ALL) -> list[Attempt]:
    """Claim without finishing anything."""
    return step([], demand, want).claimed


def claim_one(demand: Demand = ALL) -> Attempt:
    """Claim the next job, which must be there."""
    [claimed] = claim(1, demand)
    return claimed


def finished(claimed: Attempt, outcome: Any = DONE) -> Finished:
    """A claimed job with what it came to."""
    return Finished(claimed, outcome)


def attempt(job_id: UUID, lease: int, number: int = 1) -> Attempt:
    """The first of two attempts at a no-op."""
    return Attempt(str(job_id), lease, number, 2, "noop", "", "", 5, {})


def expire(job_id: UUID) -> None:
    """Let a job's lease run out now."""
    Job.objects.filter(id=job_id).update(lease_expires_at=Now() - timedelta(seconds=1))


def job_in(status: Status) -> Job:
    """A row as it may stand in `status`."""
    now = timezone.now()
    states: dict[Status, dict[str, Any]] = {
        Status.PENDING: {"scheduled_at": now - timedelta(seconds=1)},
        Status.THROTTLED: {},
        Status.QUEUED: {"queued_at": now},
        Status.IN_PROGRESS: {
            "queued_at": now,
            "started_at": now,
            "attempt": 1,
            "lease": 42,
            "lease_expires_at": now - timedelta(seconds=1),
        },
        Status.COMPLETED: {"queued_at": now, "started_at": now, "completed_at": now, "attempt": 1},
        Status.FAILED: {"completed_at": now, "error_message": "no"},
        Status.CANCELLED: {"completed_at": now},
    }
    values = states[status]
    return Job.objects.create(
        job_type="noop", status=status, lease=values.pop("lease", 42), **values
    )
