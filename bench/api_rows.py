"""A million finished jobs of twenty owners over forty days, as `bench.ended` has them, added up."""

import os
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.environment import say

DAYS = 40
OWNERS = 20
_OWNERS = f"""
INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff,
  is_active, date_joined)
SELECT 'user-' || n, '', '', '', '', false, false, true, now() FROM generate_series(2, {OWNERS}) n
"""  # noqa: S608 - a constant
# Ids are of the moment, as the engine's are.
_JOBS = """
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, status,
  owner_id, created_at, queued_at, started_at, completed_at, attempt)
SELECT overlay(gen_random_uuid()::text PLACING
    substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7' FROM 1 FOR 15)::uuid,
  'type-' || n %% 4, 'a.mp4', 'avi', '{}', 1 + n %% 3 * 4,
  CASE WHEN n %% 10 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
  owners[1 + n %% cardinality(owners)], at - interval '2 minutes', at - interval '2 minutes',
  at - make_interval(secs => 119 * random()), at, 1
FROM (SELECT array_agg(id ORDER BY username) AS owners FROM auth_user
      WHERE username = 'counted' OR username LIKE 'user-%%') AS whose,
  generate_series(1, %(jobs)s) AS n,
  LATERAL (SELECT clock_timestamp() - n * make_interval(secs => %(gap)s) AS at) AS clock,
  LATERAL (SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS hex) AS text
"""
_METRICS = """
INSERT INTO jobs_jobmetrics
  (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds, created_at)
SELECT id, id, 0, 0, 1, completed_at FROM jobs_job WHERE status = 'COMPLETED'
"""


def fill(jobs: int) -> None:
    """Add them; beside them nothing is left to be added up."""
    from django.db import connection

    from jobs.stats.rollup import roll_up

    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        cursor.execute(_JOBS, {"jobs": jobs, "gap": DAYS * 86_400 / jobs})
        cursor.execute(_METRICS)
        say("adding up")
        cursor.execute("VACUUM ANALYZE jobs_job, jobs_jobmetrics")
        while roll_up(1.0):
            pass
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def copied(name: str) -> str:
    """The address of a copy of the database as it is now; nobody may be connected to it."""
    from django.db import connection

    settings = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    whole = os.environ["DATABASE_URL"]
    with psycopg.connect(_beside(whole, "postgres"), autocommit=True) as other:
        other.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(settings["NAME"])
            )
        )
    return _beside(whole, name)


def _beside(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
