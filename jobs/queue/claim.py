"""What a worker gets when it claims: the hand-over of `claim.sql`."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Demand:
    """Who claims, what, and for how long.

    lowest, highest: the range of priorities. worker: a name for people. lease_seconds: how long
    the jobs are the worker's unless it renews.
    """

    lowest: int
    highest: int
    worker: str
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is leased to this worker now. `attempt` counts from 1."""

    id: UUID
    lease: int
    job_type: str
    source_file: str
    target_format: str
    priority: int
    parameters: dict[str, Any]
    attempt: int
    queued_at: datetime


def read_claimed(rows: list[Any]) -> list[Claimed]:
    """Rows of jobs_claim() in the order in which they are to run: RETURNING promises none."""
    claimed = [
        Claimed(job_id, lease, job_type, source, target, priority, json.loads(params), attempt, at)
        for job_id, lease, _, job_type, source, target, priority, params, attempt, at in rows
    ]
    if len(claimed) > 1:
        claimed.sort(key=lambda job: (-job.priority, job.queued_at, job.id))
    return claimed
