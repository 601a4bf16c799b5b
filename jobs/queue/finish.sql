-- Settle leased jobs. Returns how many: a row whose lease is no longer the one given is left alone.
-- `finished` is an array of
--   {id, lease, status, and by status
--    COMPLETED: result, metrics_id, cpu, memory, seconds, simulated
--    FAILED: error, code      PENDING (retry): longest_wait      QUEUED (hand-back): started}
-- Two calls never settle the same row, because a lease has one holder; heartbeats, progress and
-- rescue pass over locked rows. So the order of locks cannot make a deadlock.
CREATE OR REPLACE FUNCTION jobs_finish(finished json) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  settled_rows integer;
BEGIN
  WITH settled AS (
    UPDATE jobs_job job SET
      status = f.status,
      lease_expires_at = NULL,
      completed_at = CASE WHEN f.status IN ('COMPLETED', 'FAILED') THEN clock_timestamp() END,
      scheduled_at = CASE WHEN f.status = 'PENDING'
        THEN clock_timestamp() + make_interval(secs => random() * f.longest_wait)
        ELSE job.scheduled_at END,
      attempt = CASE WHEN f.status = 'QUEUED' THEN job.attempt - 1 ELSE job.attempt END,
      started_at = CASE WHEN f.started IS FALSE AND job.attempt = 1
        THEN NULL ELSE job.started_at END,
      progress = CASE f.status WHEN 'COMPLETED' THEN 1 WHEN 'FAILED' THEN job.progress END,
      progress_message = '',
      result = CASE WHEN f.status = 'COMPLETED' THEN coalesce(f.result, '{}') END,
      error_message = coalesce(f.error, ''),
      error_code = coalesce(f.code, '')
    FROM json_to_recordset(finished) AS f(
      id uuid, lease bigint, status text, error text, code text, longest_wait float8,
      started boolean, result jsonb, metrics_id uuid, cpu integer, memory integer,
      seconds float8, simulated boolean)
    -- An expiry is there iff the job is IN_PROGRESS. Asked by status, the planner would walk the
    -- partial index of all running jobs once for each row.
    WHERE job.id = f.id AND job.lease = f.lease AND job.lease_expires_at IS NOT NULL
    RETURNING job.id, f.metrics_id, f.cpu, f.memory, f.seconds, f.simulated
  ), measured AS (
    INSERT INTO jobs_jobmetrics
      (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds, simulated, created_at)
    SELECT metrics_id, id, cpu, memory, seconds, coalesce(simulated, false), clock_timestamp()
    FROM settled WHERE metrics_id IS NOT NULL
  )
  SELECT count(*) INTO settled_rows FROM settled;
  RETURN settled_rows;
END
$$;
