"""Keep the leases of running jobs alive, and learn which were lost."""

from uuid import UUID

from jobs.queue.database import fetch

# A row that is locked is being settled or reported on by its own worker this very moment: it is
# passed over, which also keeps this statement out of every deadlock.
_RENEW = """
WITH held AS MATERIALIZED (
  SELECT job.id
  FROM unnest(%(ids)s::uuid[], %(leases)s::bigint[]) AS mine(id, lease)
  JOIN jobs_job job ON job.id = mine.id
  WHERE job.lease = mine.lease AND job.status = 'IN_PROGRESS'
  ORDER BY job.id
  FOR NO KEY UPDATE OF job SKIP LOCKED
)
UPDATE jobs_job job
SET lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
FROM held WHERE job.id = held.id
RETURNING job.lease
"""
_STILL_HELD = """
SELECT job.lease
FROM unnest(%(ids)s::uuid[], %(leases)s::bigint[]) AS mine(id, lease)
JOIN jobs_job job ON job.id = mine.id
WHERE job.lease = mine.lease AND job.status = 'IN_PROGRESS'
"""


def heartbeat(held: dict[int, UUID], lease_seconds: float) -> set[int]:
    """Renew the leases of the jobs in `held` (job id by lease), on the database's clock.

    Returns the leases that were lost: their work must stop, their results will be refused.
    """
    values = {"ids": list(held.values()), "leases": list(held)}
    renewed = {lease for (lease,) in fetch(_RENEW, {**values, "seconds": lease_seconds})}
    if len(renewed) == len(held):
        return set()
    return set(held) - renewed - {lease for (lease,) in fetch(_STILL_HELD, values)}
