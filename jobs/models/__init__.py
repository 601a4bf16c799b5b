"""The rows. Nothing here writes a status: that is the business of `jobs/queue/` alone."""

from jobs.models.batch import BatchPart
from jobs.models.columns import CLOCK, new_id
from jobs.models.history import JobAttempt, JobCheckpoint, JobEvent
from jobs.models.job import STATUSES_BY_ID, Job, JobMetrics
from jobs.models.outbox import Listener, Outbox
from jobs.models.requests import IdempotencyKey, RequestCount
from jobs.models.schedule import MissedRuns, Schedule, ScheduleFire
from jobs.models.statistics import DurationHistory, JobTotal, RollupMark
from jobs.models.workers import REMOTE, PausedPool, SubmissionCount, WorkerProcess

__all__ = [
    "CLOCK",
    "REMOTE",
    "STATUSES_BY_ID",
    "BatchPart",
    "DurationHistory",
    "IdempotencyKey",
    "Job",
    "JobAttempt",
    "JobCheckpoint",
    "JobEvent",
    "JobMetrics",
    "JobTotal",
    "Listener",
    "MissedRuns",
    "Outbox",
    "PausedPool",
    "RequestCount",
    "RollupMark",
    "Schedule",
    "ScheduleFire",
    "SubmissionCount",
    "WorkerProcess",
    "new_id",
]
