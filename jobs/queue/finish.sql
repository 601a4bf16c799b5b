-- Settle leased jobs that are not done: failed, to be tried again, cancelled, or handed back; each
-- attempt that began is recorded in jobs_jobattempt by the same statement. Returns how many were
-- settled: a row whose lease is no longer the one given is left alone, and nothing is recorded.
-- `finished` is an array of {id, lease, status, and by status
--   FAILED: error, code, traceback
--   PENDING: the same of a retry and its wait, or the longest_wait below which chance chooses;
--            for a snooze snoozed, wait and its reason as error
--   CANCELLED: its reason as error
--   QUEUED (hand-back): started}
-- Whoever asked to cancel a running job gets a CANCELLED one, whatever its attempt came to.
-- A hand-back and a snooze cost no attempt. What never began leaves the start of the attempt before.
-- For the conditions, and why the order of locks cannot make a deadlock: see complete.sql.
CREATE OR REPLACE FUNCTION jobs_finish(finished json) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  settled integer;
BEGIN
  WITH ended AS (
    UPDATE jobs_job job SET
      status = CASE WHEN job.cancel_requested THEN 'CANCELLED' ELSE f.status END,
      lease_expires_at = NULL,
      completed_at = CASE WHEN job.cancel_requested OR f.status IN ('FAILED', 'CANCELLED')
        THEN clock_timestamp() END,
      scheduled_at = CASE WHEN f.status = 'PENDING' AND NOT job.cancel_requested
        THEN clock_timestamp() + make_interval(secs => coalesce(f.wait, random() * f.longest_wait))
        ELSE job.scheduled_at END,
      attempt = CASE WHEN f.started IS FALSE
          OR (f.status = 'QUEUED' OR f.snoozed) AND NOT job.cancel_requested
        THEN job.attempt - 1 ELSE job.attempt END,
      started_at = CASE WHEN f.started IS FALSE THEN coalesce(
          (SELECT max(before.started_at) FROM jobs_jobattempt before WHERE before.job_id = job.id),
          CASE WHEN job.attempt > 1 THEN job.started_at END)
        ELSE job.started_at END,
      progress = CASE WHEN job.cancel_requested OR f.status IN ('FAILED', 'CANCELLED')
        THEN job.progress END,
      progress_message = '',
      error_message = CASE WHEN f.status = 'FAILED' AND NOT job.cancel_requested
        THEN coalesce(f.error, '') ELSE '' END,
      error_code = CASE WHEN f.status = 'FAILED' AND NOT job.cancel_requested
        THEN coalesce(f.code, '') ELSE '' END
    FROM json_to_recordset(finished) AS f(
      id uuid, lease bigint, status text, error text, code text, traceback text, wait float8,
      longest_wait float8, snoozed boolean, started boolean)
    WHERE job.id = ANY (ARRAY[f.id]) AND job.lease = f.lease AND job.lease_expires_at IS NOT NULL
    RETURNING job.id, job.attempt, job.worker, job.started_at,
      coalesce(job.completed_at, clock_timestamp()) AS ended_at,
      CASE job.status WHEN 'CANCELLED' THEN 'cancelled' WHEN 'FAILED' THEN 'failed'
        WHEN 'QUEUED' THEN 'interrupted' ELSE CASE WHEN f.snoozed THEN 'snoozed' ELSE 'retry' END
      END AS outcome,
      f.error, f.code, f.traceback, f.started IS NOT FALSE AS began
  ), recorded AS (
    INSERT INTO jobs_jobattempt (
      job_id, number, worker, started_at, ended_at, outcome, error_message, error_code, traceback)
    SELECT id, attempt + (outcome IN ('snoozed', 'interrupted'))::integer, worker, started_at,
      ended_at, outcome, coalesce(error, ''), coalesce(code, ''), coalesce(traceback, '')
    FROM ended WHERE began
  )
  SELECT count(*) INTO settled FROM ended;
  RETURN settled;
END
$$;
