-- Whether a new job of this key has to wait: as many as may are in work, or others wait already.
-- The lock makes submissions of one key come one after the other; a VOLATILE function's own statements
-- see what was committed while it waited. It is held until the caller's transaction ends.
CREATE OR REPLACE FUNCTION jobs_at_limit(key text, most integer) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(key, 0));
  RETURN most <= (
    SELECT count(*) FROM (
      SELECT 1 FROM jobs_job
      WHERE throttle_key = key AND throttle_key <> '' AND status IN ('QUEUED', 'IN_PROGRESS')
      LIMIT most
    ) in_work
  ) OR EXISTS (SELECT FROM jobs_job WHERE throttle_key = key AND status = 'THROTTLED');
END
$$;

-- The keys of which jobs wait: one look into the index for each. Not in SQL, whose text PostgreSQL
-- holds against the tables when it is made: also where migrations go back to older ones.
CREATE OR REPLACE FUNCTION jobs_throttled_keys() RETURNS SETOF text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RETURN QUERY WITH RECURSIVE keys(key) AS (
    (SELECT throttle_key FROM jobs_job WHERE status = 'THROTTLED' ORDER BY throttle_key LIMIT 1)
    UNION ALL
    SELECT (SELECT throttle_key FROM jobs_job
            WHERE status = 'THROTTLED' AND throttle_key > keys.key
            ORDER BY throttle_key LIMIT 1)
    FROM keys WHERE keys.key IS NOT NULL
  )
  SELECT keys.key::text FROM keys WHERE keys.key IS NOT NULL;
END
$$;

-- Queue throttled jobs of these keys as far as their limits allow: higher priority first, in the
-- order of their submission within one. most: how many of each key may be in work; 0 for any number.
-- Returns the priorities of the released jobs; null for none.
-- A key that somebody else is at this moment is passed over: they see to it, or the next look does.
CREATE OR REPLACE FUNCTION jobs_release_of(keys text[], most integer[]) RETURNS json
LANGUAGE plpgsql
AS $$
DECLARE
  key text;
  most_of_key integer;
  batch integer[];
  released integer[] := '{}';
BEGIN
  FOR key, most_of_key IN SELECT * FROM unnest(keys, most)
  LOOP
    CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended(key, 0));
    WITH next AS MATERIALIZED (
      SELECT id FROM jobs_job
      WHERE status = 'THROTTLED' AND throttle_key = key
      ORDER BY priority DESC, id
      LIMIT CASE WHEN most_of_key > 0 AND key <> '' THEN greatest(0, most_of_key - (
        SELECT count(*) FROM jobs_job
        WHERE throttle_key = key AND throttle_key <> '' AND status IN ('QUEUED', 'IN_PROGRESS')
      )) END
      FOR NO KEY UPDATE SKIP LOCKED
    ), queued AS (
      UPDATE jobs_job job SET status = 'QUEUED', queued_at = clock_timestamp()
      FROM next WHERE job.id = next.id
      RETURNING job.priority
    )
    SELECT array_agg(priority) INTO batch FROM queued;
    released := released || coalesce(batch, '{}');
  END LOOP;
  RETURN to_json(nullif(released, '{}'));
END
$$;

-- What workers of the release before call, who know of one limit for all.
CREATE OR REPLACE FUNCTION jobs_release(most integer) RETURNS json
LANGUAGE sql
AS $$
  SELECT jobs_release_of(array_agg(key), array_agg(most)) FROM jobs_throttled_keys() AS key
$$;
