"""Ended jobs as the engine leaves them, put past the queue with times of one's own."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from jobs.models import Job, JobMetrics, JobRollup
from jobs.states import Status

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
    """What the rollups say: ends by status."""
    found: dict[str, int] = {}
    for status, jobs in JobRollup.objects.values_list("status", "jobs"):
        found[status] = found.get(status, 0) + jobs
    return found
