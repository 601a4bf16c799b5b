"""Fail the jobs that nobody started in time."""

from jobs.queue.database import fetch

BATCH = 500

# A claim passes over them too (claim.sql). A job that has begun does not expire: retries and
# hand-backs go on. By expiry, not by id: with SKIP LOCKED the order cannot make a deadlock.
_EXPIRE = """
WITH late AS MATERIALIZED (
  SELECT id FROM jobs_job
  WHERE status IN ('PENDING', 'THROTTLED', 'QUEUED') AND started_at IS NULL
    AND expires_at <= clock_timestamp()
  ORDER BY expires_at
  LIMIT %(batch)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE jobs_job job SET
  status = 'FAILED',
  completed_at = clock_timestamp(),
  error_code = 'expired',
  error_message = format(
    'It was to be started by %%s, and no worker took it in time.',
    to_char(job.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'))
FROM late WHERE job.id = late.id
RETURNING job.id
"""


def expire() -> list[str]:
    """Fail waiting jobs that were never started and whose time to start is over, with the code
    `expired`. Returns the ids of at most BATCH; call again while there are any."""
    return [str(job_id) for (job_id,) in fetch(_EXPIRE, {"batch": BATCH})]
