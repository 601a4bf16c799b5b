"""How many jobs wait and run, and how old the oldest is: from the partial indexes, up to a cap.

To be called inside `jobs.stats.ended.by_index`.
"""

from dataclasses import dataclass
from typing import Literal

from django.db import connection

from jobs.priorities import HIGHEST, LOWEST
from jobs.states import Status

CAP = 10_000

Exactness = Literal["exact", "estimated", "at_least"]


@dataclass(frozen=True, slots=True)
class Count:
    """A number of jobs. estimated: more than the cap, by the size of the index at its last vacuum.
    at_least: there may be more of this owner behind the first 10,000 of all."""

    jobs: int
    exactness: Exactness = "exact"


_INDEXES = {
    Status.PENDING: ("job_promote", "scheduled_at"),
    Status.THROTTLED: ("job_throttled", "throttle_key, priority DESC, id"),
    Status.QUEUED: ("job_claim", "priority DESC, queued_at, id"),
    Status.IN_PROGRESS: ("job_leased", "id"),
}
# The order is the index's, so that the planner reads that index and stops at the cap.
_COUNT = """
SELECT count(*),
  count(*) FILTER (WHERE %(owner)s::bigint IS NULL OR coalesce(owner_id, 0) = %(owner)s),
  (SELECT reltuples FROM pg_class WHERE oid = to_regclass(%(index)s))
FROM (SELECT owner_id FROM jobs_job WHERE status = '{status}' ORDER BY {order} LIMIT %(rows)s) seen
"""
_OLDEST = """
SELECT served.priority, extract(epoch FROM clock_timestamp() - oldest.queued_at)::float8
FROM generate_series(%(lowest)s, %(highest)s) AS served(priority)
CROSS JOIN LATERAL (
  SELECT queued_at FROM jobs_job
  WHERE status = 'QUEUED' AND jobs_job.priority = served.priority
  ORDER BY queued_at LIMIT 1
) oldest
"""


def waiting_counts(owner: int | None = None) -> dict[Status, Count]:
    """Jobs that have not ended, of one owner or of all; exact up to 10,000 a status."""
    return {status: _count(status, owner) for status in _INDEXES}


def oldest_waiting() -> dict[int, float]:
    """For each priority with queued jobs, how many seconds the oldest has been queued."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, {"lowest": LOWEST, "highest": HIGHEST})
        return dict(cursor.fetchall())


def _count(status: Status, owner: int | None) -> Count:
    index, order = _INDEXES[status]
    sql = _COUNT.format(status=status, order=order)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"owner": owner, "index": index, "rows": CAP + 1})
        seen, owned, estimate = cursor.fetchone()
    if seen <= CAP:
        return Count(owned)
    if owner is not None:
        return Count(owned, "at_least")
    return Count(max(seen, int(estimate)), "estimated")
