"""Take jobs back from workers that no longer renew their leases."""

from jobs.queue.database import fetch
from jobs.queue.signal import announce

BATCH = 100

# The row is looked at again under its lock. For one lease time after the server's start nothing
# is rescued: during an outage no worker could renew, and all of them may still be at work.
_RESCUE = """
WITH lost AS MATERIALIZED (
  SELECT id FROM jobs_job
  WHERE status = 'IN_PROGRESS' AND lease_expires_at < clock_timestamp()
    AND clock_timestamp() > pg_postmaster_start_time() + make_interval(secs => %(lease_seconds)s)
  ORDER BY id
  LIMIT %(batch)s
  FOR NO KEY UPDATE SKIP LOCKED
), rescued AS (
  UPDATE jobs_job job SET
    status = CASE WHEN job.cancel_requested THEN 'CANCELLED'
      WHEN job.lost_leases + 1 >= %(most)s THEN 'FAILED' ELSE 'QUEUED' END,
    lost_leases = job.lost_leases + 1,
    lease = NULL,
    lease_expires_at = NULL,
    attempt = job.attempt - 1,
    progress = NULL,
    progress_message = '',
    completed_at = CASE WHEN job.cancel_requested OR job.lost_leases + 1 >= %(most)s
      THEN clock_timestamp() END,
    error_code = CASE WHEN job.lost_leases + 1 >= %(most)s AND NOT job.cancel_requested
      THEN 'poison' ELSE '' END,
    error_message = CASE WHEN job.lost_leases + 1 >= %(most)s AND NOT job.cancel_requested
      THEN format('The worker died or hung %%s times while it ran this job; it will not be tried'
                  ' again. The last was %%s.', job.lost_leases + 1, job.worker)
      ELSE '' END
  FROM lost WHERE job.id = lost.id
  RETURNING job.id, job.status, job.priority, job.worker, job.attempt, job.started_at,
    coalesce(job.completed_at, clock_timestamp()) AS ended_at
), recorded AS (
  INSERT INTO jobs_jobattempt (
    job_id, number, worker, started_at, ended_at, outcome, error_message)
  SELECT id, attempt + 1, worker, started_at, ended_at, 'lost',
    'The worker died or hung: it did not renew its lease.'
  FROM rescued
)
SELECT id, status, priority, worker FROM rescued
"""


def rescue(lease_seconds: float, most_lost_leases: int) -> list[tuple[str, str, str]]:
    """Put jobs with an expired lease back into the queue, at no cost of an attempt.

    A job that has lost `most_lost_leases` leases is FAILED with code `poison`: it probably kills
    its workers. One that was to be cancelled is CANCELLED. Every lost attempt is recorded, also of
    a job that waited in a chunk: nobody is left to say that it never began. Never runs anything.
    Returns (job id, new status, worker that lost it).
    """
    rescued = fetch(
        _RESCUE, {"lease_seconds": lease_seconds, "most": most_lost_leases, "batch": BATCH}
    )
    queued = {priority for _, status, priority, _ in rescued if status == "QUEUED"}
    if queued:
        announce(*queued)
    return [(str(job_id), status, worker) for job_id, status, _, worker in rescued]
