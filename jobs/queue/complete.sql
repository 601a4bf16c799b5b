-- Settle leased jobs that are done, each with its metrics. Returns how many: a row whose lease is no
-- longer the one given is left alone. Nearly every job ends here, so it is a statement of its own:
-- short ones cost as much to set up as to run. All other ends are in finish.sql.
-- `completed` is an array of {id, lease, cpu, memory, seconds} and, where they say something, result
-- and simulated. A job's metrics have the job's id: it is unique, and costs nothing to make.
-- Two calls never settle the same row, because a lease has one holder; heartbeats, progress and
-- rescue pass over locked rows. So the order of locks cannot make a deadlock.
CREATE OR REPLACE FUNCTION jobs_complete(completed json) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  settled integer;
BEGIN
  WITH done AS (
    UPDATE jobs_job job SET
      status = 'COMPLETED',
      lease_expires_at = NULL,
      completed_at = clock_timestamp(),
      progress = 1,
      progress_message = '',
      result = coalesce(c.result, '{}')
    FROM json_to_recordset(completed) AS c(
      id uuid, lease bigint, cpu integer, memory integer, seconds float8, result jsonb,
      simulated boolean)
    -- Asked by id = c.id, the planner reads the whole index of a table that was small when it looked.
    -- An expiry is there iff the job is IN_PROGRESS; asked by status, it walks the partial index of
    -- all running jobs once for each row.
    WHERE job.id = ANY (ARRAY[c.id]) AND job.lease = c.lease AND job.lease_expires_at IS NOT NULL
    RETURNING job.id, c.cpu, c.memory, c.seconds, c.simulated
  )
  INSERT INTO jobs_jobmetrics
    (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds, simulated, created_at)
  SELECT id, id, cpu, memory, seconds, coalesce(simulated, false), clock_timestamp()
  FROM done;
  GET DIAGNOSTICS settled = ROW_COUNT;
  RETURN settled;
END
$$;
