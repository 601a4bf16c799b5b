"""The memory inside the database: every change of a job's state, written by a trigger.

It commits with the change and is rolled back with it, whoever made it and by what code.
"""

from dataclasses import dataclass
from typing import Any, Self

import psycopg
from psycopg.rows import class_row

INSTALL = """
CREATE TABLE IF NOT EXISTS chaos_history (
  seq bigserial PRIMARY KEY,
  job uuid NOT NULL,
  old text,
  new text,
  old_lease bigint,
  new_lease bigint,
  attempt smallint,
  lost_leases smallint,
  priority smallint,
  worker text,
  code text,
  queued_at timestamptz,
  due_at timestamptz,
  moment timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE OR REPLACE FUNCTION chaos_remember() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  seen jobs_job := coalesce(NEW, OLD);
BEGIN
  INSERT INTO chaos_history
    (job, old, new, old_lease, new_lease, attempt, lost_leases, priority, worker, code, queued_at,
     due_at)
  VALUES
    (seen.id, OLD.status, NEW.status, OLD.lease, NEW.lease, seen.attempt, seen.lost_leases,
     seen.priority, seen.worker, seen.error_code, seen.queued_at, seen.scheduled_at);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER chaos_came AFTER INSERT OR DELETE ON jobs_job
  FOR EACH ROW EXECUTE FUNCTION chaos_remember();
CREATE OR REPLACE TRIGGER chaos_changed AFTER UPDATE ON jobs_job
  FOR EACH ROW WHEN (
    OLD.status IS DISTINCT FROM NEW.status OR OLD.lease IS DISTINCT FROM NEW.lease
    OR OLD.completed_at IS DISTINCT FROM NEW.completed_at)
  EXECUTE FUNCTION chaos_remember();
"""

_CHANGES = """
SELECT job::text, old, new, old_lease, new_lease, attempt, lost_leases, priority, worker, code,
       extract(epoch FROM queued_at)::float8 AS queued, extract(epoch FROM due_at)::float8 AS due,
       extract(epoch FROM moment)::float8 AS t
FROM chaos_history ORDER BY seq
"""
_ROWS = """
SELECT job.id::text AS job, status, lease, lease_expires_at IS NOT NULL AS leased, attempt,
       max_attempts, lost_leases, error_code AS code, job.job_type AS type, parameters, result,
       (SELECT count(*) FROM jobs_jobmetrics metrics WHERE metrics.job_id = job.id) AS metrics,
       (SELECT coalesce(json_agg(json_build_array(number, outcome)), '[]')
        FROM jobs_jobattempt attempt WHERE attempt.job_id = job.id) AS attempts
FROM jobs_job job ORDER BY job.id
"""


@dataclass(slots=True)
class Change:
    """One change of a job. Times are on the ledger's clock once `History.read` gave it."""

    job: str
    old: str | None
    new: str | None
    old_lease: int | None
    new_lease: int | None
    attempt: int
    lost_leases: int
    priority: int
    worker: str
    code: str
    queued: float | None
    due: float | None
    t: float


@dataclass(frozen=True, slots=True)
class Row:
    """A job as it stands at the end. metrics: how many rows. attempts: number and outcome of
    each in its history."""

    job: str
    status: str
    lease: int | None
    leased: bool
    attempt: int
    max_attempts: int
    lost_leases: int
    code: str
    type: str
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    metrics: int
    attempts: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class History:
    """What the database says."""

    changes: list[Change]
    rows: list[Row]

    @classmethod
    def read(cls, url: str, epoch: float) -> Self:
        """All of it. epoch: what to take from the database's times."""
        with psycopg.connect(url) as connection:
            changes = connection.cursor(row_factory=class_row(Change)).execute(_CHANGES).fetchall()
            rows = connection.cursor(row_factory=class_row(Row)).execute(_ROWS).fetchall()
        for change in changes:
            change.t -= epoch
            change.queued = None if change.queued is None else change.queued - epoch
            change.due = None if change.due is None else change.due - epoch
        return cls(changes, rows)
