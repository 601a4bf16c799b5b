-- A worker thread's step: settle what it has just done, then claim what it will do next, in one
-- round trip and one commit. Two statements, in this order: in one statement they deadlocked,
-- because a claim on a stale snapshot locks a row before it sees that it is taken.
CREATE OR REPLACE FUNCTION jobs_step(
  finished jsonb, lowest integer, highest integer, want integer, worker_name text,
  lease_seconds float8)
RETURNS TABLE (id uuid, lease bigint, status text, job_type text, source_file text,
               target_format text, priority smallint, parameters jsonb, attempt smallint,
               queued_at timestamptz)
LANGUAGE plpgsql
AS $$
BEGIN
  IF finished IS NOT NULL THEN
    RETURN QUERY SELECT f.id, f.lease, f.status, NULL::text, NULL::text, NULL::text,
                        NULL::smallint, NULL::jsonb, NULL::smallint, NULL::timestamptz
                 FROM jobs_finish(finished) f;
  END IF;
  IF want > 0 THEN
    RETURN QUERY SELECT * FROM jobs_claim(lowest, highest, want, worker_name, lease_seconds);
  END IF;
END
$$;
