-- Lease the first `want` queued jobs of a priority range: higher priority first, FIFO within one.
-- Returns them in that order, as an array of arrays whose fields are those of jobs.attempt.Attempt;
-- null when there are none. The pick is materialized: as a plain subquery the planner may run it
-- again for each row and claim more than `want`.
CREATE OR REPLACE FUNCTION jobs_claim(
  lowest integer, highest integer, want integer, worker_name text, lease_seconds float8)
RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
  jobs json;
BEGIN
  WITH picked AS MATERIALIZED (
    SELECT id FROM jobs_job
    WHERE status = 'QUEUED' AND priority BETWEEN lowest AND highest
    ORDER BY priority DESC, queued_at, id
    LIMIT want
    FOR NO KEY UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE jobs_job job SET
      status = 'IN_PROGRESS',
      lease = nextval('jobs_lease'),
      lease_expires_at = clock_timestamp() + make_interval(secs => lease_seconds),
      worker = worker_name,
      attempt = job.attempt + 1,
      started_at = clock_timestamp(),
      progress = NULL,
      progress_message = ''
    FROM picked
    WHERE job.id = picked.id
    RETURNING job.*
  )
  SELECT json_agg(
    json_build_array(id, lease, attempt, max_attempts, job_type, source_file, target_format,
                     priority, parameters)
    ORDER BY priority DESC, queued_at, id)
  INTO jobs FROM claimed;
  RETURN jobs;
END
$$;
