"""Queue the jobs whose time has come: scheduled ones and retries."""

from jobs.queue.database import fetch
from jobs.queue.signal import announce

BATCH = 500

_PROMOTE = """
WITH due AS MATERIALIZED (
  SELECT id FROM jobs_job
  WHERE status = 'PENDING' AND scheduled_at <= clock_timestamp()
  ORDER BY scheduled_at
  LIMIT %(batch)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE jobs_job job SET status = 'QUEUED', queued_at = clock_timestamp()
FROM due WHERE job.id = due.id
RETURNING job.priority
"""


def promote() -> list[int]:
    """Move due jobs from PENDING to QUEUED. Returns the priority of each."""
    promoted = [priority for (priority,) in fetch(_PROMOTE, {"batch": BATCH})]
    if promoted:
        announce(*set(promoted))
    return promoted
