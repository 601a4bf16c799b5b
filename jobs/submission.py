"""The one way in: admit a job, estimate it, put it into the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.plans import UNLIMITED, Plan
from jobs.models import Job
from jobs.processors.admission import admit
from jobs.processors.contract import Invalid
from jobs.queue.submit import NewJob, submit
from jobs.stats.estimate import estimate

TOLERANCE = timedelta(minutes=1)
# The database goes on beyond the year 9999, and what reads it here does not: a job that expires
# after that could not be shown. So there is room left to count from the latest moment.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody asks for, in the right shape; the processor says whether it can be had.

    job_type: None for a transcode. priority, max_retries: None for the type's own.
    pending_timeout_seconds: FAILED as expired unless it started within; None for
    JOB_PENDING_TIMEOUT_SECONDS, 0 for never. plan: the owner's.
    """

    job_type: str | None = None
    source_file: str = ""
    target_format: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    priority: int | None = None
    max_retries: int | None = None
    scheduled_at: datetime | None = None
    pending_timeout_seconds: float | None = None
    soft_limit_seconds: float | None = None
    hard_limit_seconds: float | None = None
    owner_id: int | None = None
    plan: Plan = UNLIMITED


def check_moment(moment: datetime, field: str) -> None:
    """Raise Invalid for a moment that has passed, with status 422 because it is well-formed, or is
    after the year 8999. One that passed within the last minute is due now: a client's clock may be
    slow, and a request takes its time."""
    if moment < timezone.now() - TOLERANCE:
        text = f"This moment has passed: {moment.isoformat()}."
        raise Invalid(field, "in_the_past", text, status=422)
    if moment >= LATEST:
        raise Invalid(field, "out_of_range", f"The moment must be before the year {LATEST.year}.")


def take(submission: Submission) -> Job:
    """The job, in the queue once the transaction commits.

    Raises jobs.processors.contract.Invalid, which names the field.
    """
    return submit(admitted(submission))


def admitted(submission: Submission) -> NewJob:
    """The job to be, after its processor has agreed. Raises Invalid."""
    admission = admit(
        submission.job_type,
        submission.source_file,
        submission.target_format,
        submission.parameters,
    )
    timeout = submission.pending_timeout_seconds
    if timeout is None:
        timeout = settings.JOB_PENDING_TIMEOUT_SECONDS
    retries = submission.max_retries
    return NewJob(
        job_type=admission.job_type,
        source_file=submission.source_file,
        target_format=submission.target_format,
        parameters=submission.parameters,
        name=submission.name,
        priority=_priority(submission, admission.priority),
        max_attempts=admission.max_attempts if retries is None else retries + 1,
        owner_id=submission.owner_id,
        concurrent_jobs=submission.plan.concurrent_jobs,
        scheduled_at=submission.scheduled_at,
        expires_in=timeout or None,
        soft_limit_seconds=submission.soft_limit_seconds,
        hard_limit_seconds=submission.hard_limit_seconds,
        source_bytes=admission.source_bytes,
        estimated_seconds=estimate(
            admission.job_type, submission.target_format, admission.source_bytes
        ),
    )


def check_priority(priority: int, plan: Plan) -> None:
    """Raise Invalid, with status 422, for a priority above the plan's."""
    if priority > plan.highest_priority:
        text = f"Your plan goes up to priority {plan.highest_priority}."
        raise Invalid("priority", "beyond_plan", text, status=422)


def _priority(submission: Submission, of_type: int) -> int:
    """What was asked for; else the type's, as far as the plan goes."""
    if submission.priority is None:
        return min(of_type, submission.plan.highest_priority)
    check_priority(submission.priority, submission.plan)
    return submission.priority
