"""Settle attempts by their outcome: the hand-over of `finish.sql`."""

import json
from typing import Any, NamedTuple

from uuid_utils import uuid7

from jobs.attempt import Attempt
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Outcome, Retry
from jobs.queue.database import fetch
from jobs.states import Status

MAX_ERROR_CHARACTERS = 4000

_STILL_MINE = """
SELECT lease FROM jobs_job
WHERE id = ANY(%(ids)s) AND lease = ANY(%(leases)s) AND status <> 'IN_PROGRESS'
"""


class Finished(NamedTuple):
    """An attempt and what it came to."""

    attempt: Attempt
    outcome: Outcome


def finish(finished: list[Finished]) -> set[int]:
    """Settle attempts. Returns the leases that were lost: of those nothing was written."""
    [(settled,)] = fetch("SELECT jobs_finish(%(finished)s::json)", {"finished": pack(finished)})
    return lost_leases(finished, settled)


def lost_leases(finished: list[Finished], settled: int) -> set[int]:
    """Which leases were lost, when only `settled` of these were settled.

    One that was settled before is not lost: the connection broke during COMMIT, and the caller
    tries again. A settled row keeps its lease until it is claimed again, and rescue clears it; so
    a row that bears the lease and is not IN_PROGRESS was settled by its holder.
    """
    if settled == len(finished):
        return set()
    leases = [one.attempt.lease for one in finished]
    ids = [one.attempt.job_id for one in finished]
    return set(leases) - {lease for (lease,) in fetch(_STILL_MINE, {"ids": ids, "leases": leases})}


def pack(finished: list[Finished]) -> str:
    """The argument of jobs_finish(). Absent fields are null; see finish.sql for their meaning."""
    return json.dumps([_pack_one(attempt, outcome) for attempt, outcome in finished])


def _pack_one(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    packed = {"id": str(attempt.job_id), "lease": attempt.lease}
    match outcome:
        case Completed():
            return packed | _completed(outcome)
        case Retry(backoff=backoff) if attempt.number < attempt.max_attempts:
            wait = longest_wait(backoff or Backoff(), attempt.number)
            return packed | {"status": Status.PENDING, "longest_wait": wait}
        case Retry(error=error, code=code) | Failed(error=error, code=code):
            return packed | {"status": Status.FAILED, "error": storable(error), "code": code}
        case Interrupted(started=started):
            return packed | {"status": Status.QUEUED, "started": started}


def _completed(outcome: Completed) -> dict[str, Any]:
    metrics = outcome.metrics
    packed = {
        "status": Status.COMPLETED,
        "metrics_id": str(uuid7()),
        "cpu": max(0, min(100, metrics.peak_cpu_usage)),
        "memory": max(0, metrics.memory_usage_mb),
        "seconds": max(0.0, metrics.processing_time_seconds),
    }
    if metrics.simulated:
        packed["simulated"] = True
    if outcome.result:
        packed["result"] = outcome.result
    return packed


def longest_wait(backoff: Backoff, attempt: int) -> float:
    """The upper end of the wait after this attempt, in seconds; chance chooses below it."""
    return float(min(backoff.cap_seconds, backoff.base_seconds * 2 ** min(attempt - 1, 30)))


def storable(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogate; the end kept if it is too long."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= MAX_ERROR_CHARACTERS else "..." + clean[-MAX_ERROR_CHARACTERS:]
