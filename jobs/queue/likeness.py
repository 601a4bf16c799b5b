"""A new job that is like an old one."""

from dataclasses import replace
from typing import Any

from accounts.models import plans_of
from accounts.plans import UNLIMITED
from jobs.models import Job
from jobs.queue.submit import NewJob
from jobs.stats.estimate import estimate


def like(job: Job, **changes: Any) -> NewJob:
    """The values with which a job was submitted, due now; the owner's plan may
    have changed. changes: fields of NewJob.

    Raises TypeError for a change that is none.
    """
    plan = plans_of([job.owner_id]).get(job.owner_id, UNLIMITED) if job.owner_id else UNLIMITED
    new = NewJob(
        job_type=job.job_type,
        source_file=job.source_file,
        target_format=job.target_format,
        parameters=job.parameters,
        priority=min(job.priority, plan.highest_priority),
        max_attempts=job.max_attempts,
        owner_id=job.owner_id,
        name=job.name,
        expires_in=_time_to_start(job),
        soft_limit_seconds=job.soft_limit_seconds,
        hard_limit_seconds=job.hard_limit_seconds,
        replay_of=job.id,
        source_bytes=job.source_bytes,
        estimated_seconds=estimate(job.job_type, job.target_format, job.source_bytes),
        concurrent_jobs=plan.concurrent_jobs,
    )
    return replace(new, **changes)


def _time_to_start(job: Job) -> float | None:
    """What `expires_in` was. Retries overwrite the time for which a job was scheduled: once it has
    begun, the time to start counts from its creation, and may come out longer."""
    if job.expires_at is None:
        return None
    due = job.created_at
    if job.started_at is None and job.scheduled_at is not None:
        due = max(due, job.scheduled_at)
    return (job.expires_at - due).total_seconds()
