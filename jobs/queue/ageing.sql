-- A worker thread's step where waiting counts: as jobs_step, but of the priorities that one goes
-- first whose first job has the highest number after ageing. A job counts one priority higher for
-- each `ageing_seconds` that it has waited; of equal numbers the one that was queued first goes
-- first. Within one priority it stays first in, first out, so only the first job of each is looked
-- at. The jobs come back in the order in which they are to run.
-- Settling and claiming are left to jobs_step and jobs_claim: nothing here is paid without ageing.
CREATE OR REPLACE FUNCTION jobs_step_ageing(
  completed json, others json, highest integer, after_at timestamptz[], after_id uuid[],
  want integer, worker_name text, lease_seconds float8, ageing_seconds float8)
RETURNS json
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
  settled json := jobs_step(completed, others, highest, after_at, after_id, 0, worker_name,
                            lease_seconds) -> 0;
  number integer;
  more jsonb;
  claimed jsonb := '[]';
BEGIN
  IF want > 0 THEN
    FOR number IN
      SELECT after.number
      FROM unnest(after_at, after_id) WITH ORDINALITY AS after(queued_at, id, number)
      CROSS JOIN LATERAL (
        SELECT queued_at FROM jobs_job
        WHERE status = 'QUEUED' AND priority = highest + 1 - after.number
          AND (queued_at, id) > (after.queued_at, after.id)
        ORDER BY queued_at, id
        LIMIT 1
      ) first
      ORDER BY
        floor(extract(epoch FROM clock_timestamp() - first.queued_at) / ageing_seconds)
          - after.number DESC,
        first.queued_at
    LOOP
      more := jobs_claim(highest + 1 - number, after_at[number:number], after_id[number:number],
                         want - jsonb_array_length(claimed), worker_name, lease_seconds);
      claimed := claimed || coalesce(more, '[]');
      EXIT WHEN jsonb_array_length(claimed) >= want;
    END LOOP;
  END IF;
  RETURN json_build_array(settled, nullif(claimed, '[]'));
END
$$;
