"""What an attempt came to, as the database reads it: the hand-over of `finish.sql`."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobs.models import new_id
from jobs.outcomes import Backoff, Completed, Failed, Interrupted, Outcome, Retry
from jobs.queue.database import Jsonb, fetch
from jobs.states import Status

MAX_ERROR_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Finished:
    """A leased job and what its attempt came to."""

    job_id: UUID
    lease: int
    outcome: Outcome


def finish(finished: list[Finished]) -> dict[int, Status]:
    """Settle leased jobs. Returns the new status by lease; a lease that was lost is not in it."""
    rows = fetch(
        "SELECT lease, status FROM jobs_finish(%(finished)s)", {"finished": pack(finished)}
    )
    return {lease: Status(status) for lease, status in rows}


def settled_earlier(finished: list[Finished]) -> dict[int, Status]:
    """Which of these were settled although no answer came: the connection broke during COMMIT.

    A settled row keeps its lease until it is claimed again, and rescue clears it, so a row that
    still bears the lease but is not IN_PROGRESS was settled by its holder.
    """
    rows = fetch(
        "SELECT lease, status FROM jobs_job WHERE id = ANY(%(ids)s) AND lease = ANY(%(leases)s)"
        " AND status <> 'IN_PROGRESS'",
        {"ids": [one.job_id for one in finished], "leases": [one.lease for one in finished]},
    )
    return {lease: Status(status) for lease, status in rows}


def pack(finished: list[Finished]) -> Jsonb:
    """The argument of jobs_finish()."""
    return Jsonb([_pack_one(one) for one in finished])


def _pack_one(one: Finished) -> dict[str, Any]:
    packed: dict[str, Any] = {"id": str(one.job_id), "lease": one.lease}
    match one.outcome:
        case Completed(metrics=metrics, result=result):
            packed |= {
                "outcome": "completed",
                "result": result,
                "metrics": {
                    "id": str(new_id()),
                    "cpu": max(0, min(100, metrics.peak_cpu_usage)),
                    "memory": max(0, metrics.memory_usage_mb),
                    "seconds": max(0.0, metrics.processing_time_seconds),
                    "simulated": metrics.simulated,
                },
            }
        case Retry(error=error, code=code, backoff=backoff):
            backoff = backoff or Backoff()
            packed |= {
                "outcome": "retry",
                "error": storable(error),
                "code": code,
                "base": backoff.base_seconds,
                "cap": backoff.cap_seconds,
            }
        case Failed(error=error, code=code):
            packed |= {"outcome": "failed", "error": storable(error), "code": code}
        case Interrupted():
            packed |= {"outcome": "interrupted"}
    return packed


def storable(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogate; the end kept if it is too long."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= MAX_ERROR_CHARACTERS else "..." + clean[-MAX_ERROR_CHARACTERS:]
