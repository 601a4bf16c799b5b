"""Rows put past the queue: a long life of finished jobs, or a long line of queued ones."""

# The ids sort as the numbers do, as those of the engine sort by time.
_ID = "overlay(gen_random_uuid()::text PLACING lpad(to_hex(number), 8, '0') FROM 1 FOR 8)::uuid"
# Those of finished jobs are UUIDv7 of the past hours, as the engine makes them: new ones come
# behind them in every index.
_PAST_ID = """
SELECT (substr(time, 1, 8) || '-' || substr(time, 9) || '-7'
  || substr(gen_random_uuid()::text, 16))::uuid AS id
FROM (SELECT lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 10 * number), 12, '0')
  AS time) AS past
"""
_PARAMETERS = "jsonb_build_object('number', number, 'text', repeat('x', 180))"
_METRICS = """
INSERT INTO jobs_jobmetrics (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds)
SELECT id, id, 0, 0, 0 FROM jobs_job job
WHERE status = 'COMPLETED' AND NOT EXISTS (SELECT FROM jobs_jobmetrics WHERE job_id = job.id)
ORDER BY id
"""


def finished(jobs: int) -> tuple[str, ...]:
    """The statements that add so many completed jobs with their metrics. They were never queued."""
    if not jobs:
        return ()
    return (
        f"""
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  queued_at, started_at, completed_at, attempt)
SELECT id, 'noop', 'a.mp4', 'avi', {_PARAMETERS}, 9, 'COMPLETED', now(), now(), now(), 1
FROM generate_series({jobs:d}, 1, -1) AS number CROSS JOIN LATERAL ({_PAST_ID}) AS past
""",  # noqa: S608 - constants and a number
        _METRICS,
    )


def queued(jobs: int) -> str:
    """The statement that adds so many queued jobs, numbered from 0, first in first out."""
    return f"""
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  queued_at)
SELECT {_ID}, 'noop', 'a.mp4', 'avi', {_PARAMETERS}, 9, 'QUEUED', clock_timestamp()
FROM generate_series(0, {jobs:d} - 1) AS number
"""  # noqa: S608 - constants and a number


# What a server does in time by itself.
SETTLE = ("VACUUM ANALYZE", "CHECKPOINT")
