-- Lease the first `want` queued jobs of these types, of one owner or of all (null): what a worker
-- that runs only some types asks for. Returns them in running order, as an array of the arrays that
-- jobs_claim() returns; empty when there are none.
-- The rules are those of jobs_claim() and jobs_step_ageing(). It stands apart because a filter on
-- the type would cost every local claim, and an index for it every job. It reads past the jobs of
-- other types that wait in front: whoever calls it again and again must let that be a small part of
-- the time. It looks at everything, behind no lower bound: jobs of other types are no dead entries.
CREATE OR REPLACE FUNCTION jobs_claim_typed(
  lowest integer, highest integer, types text[], of_owner bigint, want integer, worker_name text,
  lease_seconds float8, ageing_seconds float8)
RETURNS json
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  asked integer;
  more jsonb;
  claimed jsonb := '[]';
BEGIN
  FOR asked IN
    SELECT number
    FROM generate_series(lowest, highest) AS number
    CROSS JOIN LATERAL (
      SELECT queued_at FROM jobs_job
      WHERE status = 'QUEUED' AND priority = number
        AND job_type = ANY (types) AND (of_owner IS NULL OR owner_id = of_owner)
      ORDER BY queued_at, id
      LIMIT 1
    ) first
    ORDER BY
      number + CASE WHEN ageing_seconds > 0
        THEN floor(extract(epoch FROM clock_timestamp() - first.queued_at) / ageing_seconds)
        ELSE 0 END DESC,
      first.queued_at
  LOOP
    WITH picked AS MATERIALIZED (
      SELECT ctid AS place FROM jobs_job
      WHERE status = 'QUEUED' AND priority = asked
        AND job_type = ANY (types) AND (of_owner IS NULL OR owner_id = of_owner)
        AND (expires_at IS NULL OR expires_at > clock_timestamp() OR started_at IS NOT NULL)
      ORDER BY queued_at, id
      LIMIT want - jsonb_array_length(claimed)
      FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
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
      RETURNING job.queued_at, job.id,
        json_build_array(job.id, job.lease, job.attempt, job.max_attempts, job.job_type,
                         job.source_file, job.target_format, job.priority, job.parameters,
                         job.soft_limit_seconds, job.hard_limit_seconds, job.queued_at) AS attempt
    )
    SELECT jsonb_agg(taken.attempt ORDER BY taken.queued_at, taken.id) INTO more FROM taken;
    claimed := claimed || coalesce(more, '[]');
    EXIT WHEN jsonb_array_length(claimed) >= want;
  END LOOP;
  RETURN claimed;
END
$$;
