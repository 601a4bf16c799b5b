-- A worker thread's step: settle what it has just done, then claim what it will do next, in one
-- round trip and one commit. Two statements, in this order: in one statement they deadlocked,
-- because a claim on a stale snapshot locks a row before it sees that it is taken.
-- The first row holds nothing but how many were settled; the others are the claimed jobs.
CREATE OR REPLACE FUNCTION jobs_step(
  finished jsonb, lowest integer, highest integer, want integer, worker_name text,
  lease_seconds float8)
RETURNS TABLE (settled integer, job_id uuid, lease bigint, number smallint, max_attempts smallint,
               job_type text, source_file text, target_format text, priority smallint,
               parameters jsonb, queued_at timestamptz)
LANGUAGE plpgsql
AS $$
BEGIN
  settled := CASE WHEN finished IS NULL THEN 0 ELSE jobs_finish(finished) END;
  RETURN NEXT;
  IF want > 0 THEN
    RETURN QUERY SELECT NULL::integer, claimed.*
                 FROM jobs_claim(lowest, highest, want, worker_name, lease_seconds) AS claimed;
  END IF;
END
$$;
