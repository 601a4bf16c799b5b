"""Settle attempts by their outcome: the hand-over of `complete.sql` and `finish.sql`."""

import json
from typing import Any, NamedTuple

from jobs.attempt import Attempt
from jobs.outcomes import Backoff, Cancel, Completed, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue.database import fetch
from jobs.states import Status

MAX_ERROR_CHARACTERS = 4000
MAX_TRACEBACK_CHARACTERS = 16_384

_FINISH = "SELECT jobs_complete(%(completed)s::json) + jobs_finish(%(others)s::json)"
_STILL_MINE = """
SELECT lease, status FROM jobs_job
WHERE id = ANY(%(ids)s) AND lease = ANY(%(leases)s) AND status <> 'IN_PROGRESS'
"""


class Finished(NamedTuple):
    """An attempt and what it came to."""

    attempt: Attempt
    outcome: Outcome


def finish(finished: list[Finished]) -> set[int]:
    """Settle attempts. Returns the leases that were lost: of those nothing was written."""
    [(settled,)] = fetch(_FINISH, dict(zip(("completed", "others"), pack(finished), strict=True)))
    return lost_leases(finished, settled)


def lost_leases(finished: list[Finished], settled: int) -> set[int]:
    """Which leases were lost, when only `settled` of these were settled.

    One that was settled before is not lost: the connection broke during COMMIT, and the caller
    tries again. A settled row keeps its lease until it is claimed again, and rescue clears it; so
    a row that bears the lease and is not IN_PROGRESS was settled by its holder. At the end of a
    process that can be another thread: a job is handed back and completed at the same moment, and
    the one whose outcome does not stand in the row has lost it.
    """
    if settled == len(finished):
        return set()
    completed = {one.attempt.lease: isinstance(one.outcome, Completed) for one in finished}
    ids = [one.attempt.job_id for one in finished]
    return set(completed) - {
        lease
        for lease, status in fetch(_STILL_MINE, {"ids": ids, "leases": list(completed)})
        if completed[lease] == (status == Status.COMPLETED)
    }


def pack(finished: list[Finished]) -> tuple[str | None, str | None]:
    """The arguments of jobs_complete() and jobs_finish(); see their SQL. None: there are none."""
    completed = [
        _pack_completed(attempt, outcome)
        for attempt, outcome in finished
        if isinstance(outcome, Completed)
    ]
    others = [
        _pack_other(attempt, outcome)
        for attempt, outcome in finished
        if not isinstance(outcome, Completed)
    ]
    return (
        f"[{','.join(completed)}]" if completed else None,
        json.dumps(others) if others else None,
    )


def _pack_completed(attempt: Attempt, outcome: Completed) -> str:
    """One object of JSON, written by hand because this runs for nearly every job."""
    metrics = outcome.metrics
    simulated = ',"simulated":true' if metrics.simulated else ""
    result = f',"result":{json.dumps(outcome.result)}' if outcome.result else ""
    return (
        f'{{"id":"{attempt.id}","lease":{attempt.lease},'
        f'"cpu":{max(0, min(100, metrics.peak_cpu_usage))},'
        f'"memory":{max(0, metrics.memory_usage_mb)},'
        f'"seconds":{max(0.0, metrics.processing_time_seconds)}{simulated}{result}}}'
    )


def _pack_other(
    attempt: Attempt, outcome: Retry | Snooze | Failed | Cancel | Interrupted
) -> dict[str, Any]:
    packed: dict[str, Any] = {"id": attempt.id, "lease": attempt.lease}
    match outcome:
        case Retry() if attempt.number < attempt.max_attempts:
            return packed | _pack_error(outcome) | _pack_wait(outcome, attempt.number)
        case Retry() | Failed():
            return packed | _pack_error(outcome) | {"status": Status.FAILED}
        case Snooze(seconds=seconds, reason=reason):
            again = {"status": Status.PENDING, "snoozed": True, "wait": max(0.0, seconds)}
            return packed | again | {"error": storable(reason)}
        case Cancel(reason=reason):
            return packed | {"status": Status.CANCELLED, "error": storable(reason)}
        case Interrupted(started=started):
            return packed | {"status": Status.QUEUED, "started": started}


def _pack_error(outcome: Retry | Failed) -> dict[str, Any]:
    return {
        "error": storable(outcome.error),
        "code": outcome.code,
        "traceback": storable(outcome.traceback, MAX_TRACEBACK_CHARACTERS),
    }


def _pack_wait(outcome: Retry, number: int) -> dict[str, Any]:
    if outcome.after is not None:
        return {"status": Status.PENDING, "wait": max(0.0, outcome.after)}
    longest = longest_wait(outcome.backoff or Backoff(), number)
    return {"status": Status.PENDING, "longest_wait": longest}


def longest_wait(backoff: Backoff, attempt: int) -> float:
    """The upper end of the wait after this attempt, in seconds; chance chooses below it."""
    return float(min(backoff.cap_seconds, backoff.base_seconds * 2 ** min(attempt - 1, 30)))


def storable(text: str, most: int = MAX_ERROR_CHARACTERS) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogate; the end kept if it is too long."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return clean if len(clean) <= most else "..." + clean[-most:]
