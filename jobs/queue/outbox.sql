-- What the triggers on jobs_job call for jobs with `notify`: one row of jobs_outbox for each change of
-- status that has a name, and for progress that is told (see progress.py). The triggers are made by
-- the migration 0013_outbox and stay; this follows the code.
-- The first row of an empty outbox calls the workers, and no other: NOTIFY serialises commits.
CREATE OR REPLACE FUNCTION jobs_tell() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  happened text := CASE NEW.status
    WHEN 'QUEUED' THEN 'job.queued'
    WHEN 'IN_PROGRESS' THEN 'job.started'
    WHEN 'COMPLETED' THEN 'job.completed'
    WHEN 'FAILED' THEN 'job.failed'
    WHEN 'CANCELLED' THEN 'job.cancelled'
  END;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.status = OLD.status THEN
    happened := CASE WHEN NEW.told_at IS DISTINCT FROM OLD.told_at THEN 'job.progress' END;
  END IF;
  IF happened IS NULL THEN
    RETURN NULL;
  END IF;
  IF (SELECT min(id) FROM jobs_outbox) IS NULL THEN
    PERFORM pg_notify('jobs_queued', 'outbox');
  END IF;
  INSERT INTO jobs_outbox (job_id, owner_id, callback_url, event, at, job)
  VALUES (NEW.id, NEW.owner_id, NEW.callback_url, happened, clock_timestamp(),
    jsonb_build_object(
      'id', NEW.id,
      'name', NEW.name,
      'job_type', NEW.job_type,
      'source_file', NEW.source_file,
      'target_format', NEW.target_format,
      'status', NEW.status,
      'attempt', NEW.attempt,
      'progress', NEW.progress,
      'progress_message', NEW.progress_message,
      'error_code', NEW.error_code,
      'error_message', left(NEW.error_message, 500),
      'metadata', NEW.metadata,
      'created_at', NEW.created_at,
      'started_at', NEW.started_at,
      'completed_at', NEW.completed_at));
  RETURN NULL;
END
$$;
