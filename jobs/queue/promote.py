"""Queue the jobs whose time has come: scheduled ones and retries."""

from jobs.queue.database import fetch
from jobs.queue.limits import release
from jobs.queue.signal import announce
from jobs.states import Status

BATCH = 500

_PROMOTE = """
WITH due AS MATERIALIZED (
  SELECT id FROM jobs_job
  WHERE status = 'PENDING' AND scheduled_at <= clock_timestamp()
  ORDER BY scheduled_at
  LIMIT %(batch)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE jobs_job job SET
  status = CASE job.throttle_key WHEN '' THEN 'QUEUED' ELSE 'THROTTLED' END,
  queued_at = CASE job.throttle_key WHEN '' THEN clock_timestamp() END
FROM due WHERE job.id = due.id
RETURNING job.priority, job.status
"""


def promote() -> list[int]:
    """Move due jobs from PENDING to QUEUED, as far as limits allow; the others wait as THROTTLED.
    Returns the priority of each."""
    promoted = fetch(_PROMOTE, {"batch": BATCH})
    queued = {priority for priority, status in promoted if status == Status.QUEUED}
    if queued:
        announce(*queued)
    if len(promoted) > len(queued):
        release()
    return [priority for priority, _ in promoted]
