-- Lease the first `want` queued jobs of a priority range: higher priority first, FIFO within one.
-- The pick is materialized: as a plain subquery the planner may run it again for each row and
-- claim more than `want`.
CREATE OR REPLACE FUNCTION jobs_claim(
  lowest integer, highest integer, want integer, worker_name text, lease_seconds float8)
RETURNS TABLE (job_id uuid, lease bigint, number smallint, max_attempts smallint, job_type text,
               source_file text, target_format text, priority smallint, parameters jsonb,
               queued_at timestamptz)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH picked AS MATERIALIZED (
    SELECT id FROM jobs_job
    WHERE status = 'QUEUED' AND priority BETWEEN lowest AND highest
    ORDER BY priority DESC, queued_at, id
    LIMIT want
    FOR NO KEY UPDATE SKIP LOCKED
  )
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
  RETURNING job.id, job.lease, job.attempt, job.max_attempts, job.job_type::text,
            job.source_file::text, job.target_format::text, job.priority, job.parameters,
            job.queued_at;
END
$$;
