-- Settle leased jobs that are not done: failed, to be tried again, or handed back. Returns how many:
-- a row whose lease is no longer the one given is left alone.
-- `finished` is an array of {id, lease, status, and by status
--   FAILED: error, code      PENDING (retry): longest_wait      QUEUED (hand-back): started}
-- For the conditions, and why the order of locks cannot make a deadlock: see complete.sql.
CREATE OR REPLACE FUNCTION jobs_finish(finished json) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  settled integer;
BEGIN
  UPDATE jobs_job job SET
    status = f.status,
    lease_expires_at = NULL,
    completed_at = CASE WHEN f.status = 'FAILED' THEN clock_timestamp() END,
    scheduled_at = CASE WHEN f.status = 'PENDING'
      THEN clock_timestamp() + make_interval(secs => random() * f.longest_wait)
      ELSE job.scheduled_at END,
    attempt = CASE WHEN f.status = 'QUEUED' THEN job.attempt - 1 ELSE job.attempt END,
    started_at = CASE WHEN f.started IS FALSE AND job.attempt = 1
      THEN NULL ELSE job.started_at END,
    progress = CASE WHEN f.status = 'FAILED' THEN job.progress END,
    progress_message = '',
    error_message = coalesce(f.error, ''),
    error_code = coalesce(f.code, '')
  FROM json_to_recordset(finished) AS f(
    id uuid, lease bigint, status text, error text, code text, longest_wait float8,
    started boolean)
  WHERE job.id = ANY (ARRAY[f.id]) AND job.lease = f.lease AND job.lease_expires_at IS NOT NULL;
  GET DIAGNOSTICS settled = ROW_COUNT;
  RETURN settled;
END
$$;
