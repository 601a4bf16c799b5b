"""Ended jobs as the engine leaves them, put past the queue with times of one's own."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from jobs.models import Job, JobMetrics, JobTotal
from jobs.states import Status
from jobs.stats.totals import EVERYBODY

NOW = timezone.now


def ended(
    status: Status = Status.COMPLETED,
    *,
    ago: float = 60.0,
    wait: float = 1.0,
    run: float = 2.0,
    at: datetime | None = None,
    **values: Any,
) -> Job:
    """One job that ended `ago` seconds before now, or at `at`."""
    end = at or NOW() - timedelta(seconds=ago)
    started = end - timedelta(seconds=run)
    queued = started - timedelta(seconds=wait)
    error = {"error_message": "no", "error_code": "no"} if status == Status.FAILED else {}
    fields = {
        "job_type": "noop", "attempt": 1, "lease": 1, "created_at": queued, "queued_at": queued,
        "started_at": started, "completed_at": end, **error, **values,
    }  # fmt: skip
    job = Job.objects.create(status=status, **fields)
    if status == Status.COMPLETED:
        JobMetrics.objects.create(
            id=job.id, job=job, peak_cpu_usage=0, memory_usage_mb=0,
            processing_time_seconds=run, created_at=end,
        )  # fmt: skip
    return job


def rolled() -> dict[str, int]:
    """What is added up: ends by status."""
    found: dict[str, int] = {}
    for one in newest():
        found[one.status] = found.get(one.status, 0) + one.jobs
    return found


def newest(owner: int = EVERYBODY) -> list[JobTotal]:
    """The last total of each series of this owner."""
    totals = JobTotal.objects.filter(owner_id=owner).order_by("until")
    return list({(one.priority, one.job_type, one.status): one for one in totals}.values())
