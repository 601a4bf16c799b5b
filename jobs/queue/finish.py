"""Settle attempts by their outcome: the hand-over of `finish.sql`."""

from typing import Any, NamedTuple

from jobs.attempt import Attempt
from jobs.models import new_id
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Outcome, Retry
from jobs.queue.database import Jsonb, fetch
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
    [(settled,)] = fetch("SELECT jobs_finish(%(finished)s)", {"finished": pack(finished)})
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


def pack(finished: list[Finished]) -> Jsonb:
    """The argument of jobs_finish()."""
    return Jsonb([_pack_one(one.attempt, one.outcome) for one in finished])


def _pack_one(attempt: Attempt, outcome: Outcome) -> dict[str, Any]:
    packed: dict[str, Any] = {"id": str(attempt.job_id), "lease": attempt.lease}
    match outcome:
        case Completed(metrics=metrics, result=result):
            packed |= {
                "status": Status.COMPLETED,
                "result": result,
                "metrics_id": str(new_id()),
                "cpu": max(0, min(100, metrics.peak_cpu_usage)),
                "memory": max(0, metrics.memory_usage_mb),
                "seconds": max(0.0, metrics.processing_time_seconds),
                "simulated": metrics.simulated,
            }
        case Retry(backoff=backoff) if attempt.number < attempt.max_attempts:
            packed |= {
                "status": Status.PENDING,
                "longest_wait": longest_wait(backoff or Backoff(), attempt.number),
            }
        case Retry(error=error, code=code) | Failed(error=error, code=code):
            packed |= {"status": Status.FAILED, "error": storable(error), "code": code}
        case Interrupted(started=started):
            packed |= {"status": Status.QUEUED, "started": started}
    return packed


def longest_wait(backoff: Backoff, attempt: int) -> float:
    """The upper end of the wait after this attempt, in seconds; chance chooses below it."""
    return float(min(backoff.cap_seconds, backoff.base_seconds * 2 ** min(attempt - 1, 30)))


def storable(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogate; the end kept if it is too long."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= MAX_ERROR_CHARACTERS else "..." + clean[-MAX_ERROR_CHARACTERS:]
