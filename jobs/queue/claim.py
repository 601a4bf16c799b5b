"""What a worker asks for when it claims, and what it gets: the hand-over of `claim.sql`."""

import json
from dataclasses import dataclass
from typing import Any

from jobs.attempt import Attempt


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


def read_claimed(rows: list[Any]) -> list[Attempt]:
    """Rows of jobs_claim() in the order in which they are to run: RETURNING promises none."""
    claimed = [
        Attempt(job_id, lease, number, most, kind, source, target, priority, json.loads(given), at)
        for job_id, lease, number, most, kind, source, target, priority, given, at in rows
    ]
    if len(claimed) > 1:
        claimed.sort(key=lambda job: (-job.priority, job.queued_at, job.job_id))
    return claimed
