-- Lease the first `want` queued jobs of a priority range: higher priority first, FIFO within one.
-- Returns them in that order, as an array of arrays: the fields of jobs.attempt.Attempt, and
-- queued_at; null when there are none. One more goes to the end: workers of the release before read
-- these by their places.
-- after_at and after_id tell for each priority, from the highest to the lowest, behind which
-- position (queued_at, id) to look: what is before it was taken, and while a snapshot is held open
-- its dead index entries would all be read again for every claim (docs/adr/0012-lower-bounds.md).
-- A row's xmax is the transaction that locked or changed it last. Where that may still run, another
-- claim is taking the row: passed over here, it costs a fraction of what SKIP LOCKED pays to find it
-- locked (docs/adr/0014-many-processes.md). A look at everything tries those rows too: their
-- transaction may have been rolled back.
-- One that was not started in time is passed over: it is for expire.py to fail.
-- The picked rows are told by an array, which is made once: joined as a subquery, the planner may run
-- the pick again for each row and claim more than `want`. The rows of a LATERAL come priority by
-- priority, because it runs once for each.
CREATE OR REPLACE FUNCTION jobs_claim(
  highest integer, after_at timestamptz[], after_id uuid[], want integer, worker_name text,
  lease_seconds float8)
RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
  jobs json;
  -- How many transactions ago the oldest one that still runs began.
  running integer := age(pg_snapshot_xmin(pg_current_snapshot())::xid);
BEGIN
  WITH picked AS MATERIALIZED (
    SELECT job.ctid AS place
    FROM unnest(after_at, after_id) WITH ORDINALITY AS after(queued_at, id, number)
    CROSS JOIN LATERAL (
      SELECT ctid FROM jobs_job
      WHERE status = 'QUEUED' AND priority = highest + 1 - after.number
        AND (queued_at, id) > (after.queued_at, after.id)
        AND (age(xmax) > running OR after.queued_at = '-infinity')
        AND (expires_at IS NULL OR expires_at > clock_timestamp() OR started_at IS NOT NULL)
      ORDER BY queued_at, id
      LIMIT want
      FOR NO KEY UPDATE SKIP LOCKED
    ) job
    LIMIT want
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
    WHERE job.ctid = ANY (ARRAY(SELECT place FROM picked))
    RETURNING job.priority, job.queued_at, job.id,
      json_build_array(job.id, job.lease, job.attempt, job.max_attempts, job.job_type,
                       job.source_file, job.target_format, job.priority, job.parameters,
                       job.soft_limit_seconds, job.hard_limit_seconds, job.queued_at) AS attempt
  )
  SELECT json_agg(attempt ORDER BY priority DESC, queued_at, id) INTO jobs FROM claimed;
  RETURN jobs;
END
$$;
