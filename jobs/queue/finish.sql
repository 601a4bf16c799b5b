-- Settle leased jobs by the outcome of their attempt. Fenced: a row whose lease is no longer the
-- one given is left alone and does not come back. `finished` is an array of
--   {id, lease, outcome: completed|failed|retry|interrupted, error, code, base, cap, result,
--    metrics: {id, cpu, memory, seconds, simulated}}
-- Rows are locked in the order of their ids, so that two batches cannot deadlock.
CREATE OR REPLACE FUNCTION jobs_finish(finished jsonb)
RETURNS TABLE (id uuid, lease bigint, status text)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH settling AS MATERIALIZED (
    SELECT job.id, f.result, f.error, f.code, f.metrics,
           CASE f.outcome
             WHEN 'completed' THEN 'COMPLETED'
             WHEN 'failed' THEN 'FAILED'
             WHEN 'interrupted' THEN 'QUEUED'
             WHEN 'retry' THEN
               CASE WHEN job.attempt >= job.max_attempts THEN 'FAILED' ELSE 'PENDING' END
           END AS status,
           f.outcome = 'interrupted' AS uncounted,
           random() * least(f.cap, f.base * power(2, least(job.attempt, 30) - 1)) AS delay
    FROM jsonb_to_recordset(finished) AS f(
           id uuid, lease bigint, outcome text, error text, code text,
           base float8, cap float8, result jsonb, metrics jsonb)
    JOIN jobs_job job ON job.id = f.id
    WHERE job.lease = f.lease AND job.status = 'IN_PROGRESS'
    ORDER BY job.id
    FOR NO KEY UPDATE OF job
  ), settled AS (
    UPDATE jobs_job job SET
      status = s.status,
      lease_expires_at = NULL,
      completed_at = CASE WHEN s.status IN ('COMPLETED', 'FAILED') THEN clock_timestamp() END,
      scheduled_at = CASE WHEN s.status = 'PENDING'
                          THEN clock_timestamp() + make_interval(secs => s.delay)
                          ELSE job.scheduled_at END,
      attempt = CASE WHEN s.uncounted THEN job.attempt - 1 ELSE job.attempt END,
      progress = CASE s.status WHEN 'COMPLETED' THEN 1 WHEN 'FAILED' THEN job.progress END,
      progress_message = '',
      result = CASE WHEN s.status = 'COMPLETED' THEN s.result END,
      error_message = CASE WHEN s.status = 'FAILED' THEN coalesce(s.error, '') ELSE '' END,
      error_code = CASE WHEN s.status = 'FAILED' THEN coalesce(s.code, '') ELSE '' END
    FROM settling s
    WHERE job.id = s.id
    RETURNING job.id, job.lease, job.status, s.metrics
  ), measured AS (
    INSERT INTO jobs_jobmetrics
      (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds, simulated, created_at)
    SELECT (metrics->>'id')::uuid, id, (metrics->>'cpu')::int, (metrics->>'memory')::int,
           (metrics->>'seconds')::float8, (metrics->>'simulated')::bool, clock_timestamp()
    FROM settled WHERE status = 'COMPLETED'
  )
  SELECT s.id, s.lease, s.status::text FROM settled s;
END
$$;
