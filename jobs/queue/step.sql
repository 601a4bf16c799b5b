-- A worker thread's step: settle what it has just done, then claim what it will do next, in one
-- round trip and one commit. Two statements, in this order: in one statement they deadlocked,
-- because a claim on a stale snapshot locks a row before it sees that it is taken.
-- Returns [how many were settled, claimed jobs or null].
-- The planner's settings keep every statement to its index, also with stale statistics.
CREATE OR REPLACE FUNCTION jobs_step(
  completed json, others json, highest integer, after_at timestamptz[], after_id uuid[],
  want integer, worker_name text, lease_seconds float8)
RETURNS json
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  settled integer := 0;
  claimed json;
BEGIN
  IF completed IS NOT NULL THEN
    settled := jobs_complete(completed);
  END IF;
  IF others IS NOT NULL THEN
    settled := settled + jobs_finish(others);
  END IF;
  IF want > 0 THEN
    claimed := jobs_claim(highest, after_at, after_id, want, worker_name, lease_seconds);
  END IF;
  RETURN json_build_array(settled, claimed);
END
$$;
