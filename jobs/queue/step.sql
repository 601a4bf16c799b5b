-- A worker thread's step: settle what it has just done, then claim what it will do next, in one
-- round trip and one commit. Two statements, in this order: in one statement they deadlocked,
-- because a claim on a stale snapshot locks a row before it sees that it is taken.
-- Returns [how many were settled, claimed jobs or null].
-- The planner's settings keep every statement to its index, also with stale statistics.
CREATE OR REPLACE FUNCTION jobs_step(
  finished json, lowest integer, highest integer, want integer, worker_name text,
  lease_seconds float8)
RETURNS json
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  settled integer := 0;
  claimed json;
BEGIN
  IF finished IS NOT NULL THEN
    settled := jobs_finish(finished);
  END IF;
  IF want > 0 THEN
    claimed := jobs_claim(lowest, highest, want, worker_name, lease_seconds);
  END IF;
  RETURN json_build_array(settled, claimed);
END
$$;
