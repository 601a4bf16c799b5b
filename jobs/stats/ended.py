"""Read the jobs that ended in a stretch of time, grouped: what totals and statistics are made of.

COMPLETED jobs are found by the time of their metrics, the others by their end, each over its index
and each looked up by its key: the table of jobs is never scanned.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from jobs.stats.histogram import EDGES, Histogram, added, count

# In place of an owner: the jobs that have none.
NOBODY = 0

# The class of a source is floor(log2(bytes)).
_POWERS = [2**power for power in range(63)]

# Only attempts that began after the job was queued last tell how long it waited and ran. What a
# cancelled job took says nothing: it may have been waiting for its next attempt.
# LIMIT keeps the look-up of a job a look-up, whatever the planner thinks of the table.
_ENDED = """
WITH ended AS MATERIALIZED (
  SELECT metrics.created_at AS at, job.*
  FROM jobs_jobmetrics metrics
  CROSS JOIN LATERAL (
    SELECT status, priority, job_type, owner_id, target_format, source_bytes,
      queued_at, started_at, completed_at
    FROM jobs_job WHERE id = metrics.job_id LIMIT 1
  ) job
  WHERE metrics.created_at >= %(begin)s AND metrics.created_at < %(end)s
    AND job.status = 'COMPLETED'
  UNION ALL
  SELECT completed_at, status, priority, job_type, owner_id, target_format, source_bytes,
    queued_at, started_at, completed_at
  FROM jobs_job
  WHERE status IN ('FAILED', 'CANCELLED')
    AND completed_at >= %(begin)s AND completed_at < %(end)s
), timed AS (
  SELECT *,
    CASE WHEN begun THEN extract(epoch FROM started_at - queued_at)::float8 END AS wait,
    CASE WHEN begun THEN greatest(extract(epoch FROM completed_at - started_at), 0)::float8
      END AS run
  FROM (SELECT *, status <> 'CANCELLED' AND started_at >= queued_at AS begun FROM ended) ended
)
SELECT date_trunc(%(unit)s, at), priority, job_type, coalesce(owner_id, 0), status,
  target_format, CASE WHEN source_bytes IS NOT NULL
    THEN width_bucket(greatest(source_bytes, 1), %(powers)s::bigint[]) - 1 ELSE -1 END,
  width_bucket(wait, %(edges)s::float8[]), width_bucket(run, %(edges)s::float8[]),
  count(*), sum(wait), sum(run)
FROM timed
WHERE %(owner)s::bigint IS NULL OR coalesce(owner_id, 0) = %(owner)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
_FIRST = """
SELECT least(
  (SELECT created_at FROM jobs_jobmetrics WHERE created_at >= %(begin)s AND created_at < %(end)s
   ORDER BY created_at LIMIT 1),
  (SELECT completed_at FROM jobs_job WHERE status IN ('FAILED', 'CANCELLED')
     AND completed_at >= %(begin)s AND completed_at < %(end)s
   ORDER BY completed_at LIMIT 1))
"""
_ROW = """
SELECT least(
  (SELECT created_at FROM jobs_jobmetrics WHERE created_at >= %(begin)s AND created_at < %(end)s
   ORDER BY created_at OFFSET %(rows)s LIMIT 1),
  (SELECT completed_at FROM jobs_job WHERE status IN ('FAILED', 'CANCELLED')
     AND completed_at >= %(begin)s AND completed_at < %(end)s
   ORDER BY completed_at OFFSET %(rows)s LIMIT 1))
"""


class Group(NamedTuple):
    """Jobs that are counted together; owner_id: NOBODY where they have none."""

    begins_at: datetime
    priority: int
    job_type: str
    owner_id: int
    status: str


class Kind(NamedTuple):
    """Jobs that are expected to take about as long."""

    job_type: str
    target_format: str
    size_class: int


@dataclass(slots=True)
class Sums:
    """What some ended jobs add up to."""

    jobs: int = 0
    wait_seconds: float = 0.0
    run_seconds: float = 0.0
    waits: Histogram = field(default_factory=list)
    runs: Histogram = field(default_factory=list)

    def add(self, other: "Sums") -> None:
        """Put the others to these."""
        self.jobs += other.jobs
        self.wait_seconds += other.wait_seconds
        self.run_seconds += other.run_seconds
        self.waits = added(self.waits, other.waits)
        self.runs = added(self.runs, other.runs)


@dataclass(slots=True)
class Learnt:
    """How many completed jobs took how long together."""

    jobs: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Ended:
    """Jobs by group, and the completed ones by kind."""

    groups: dict[Group, Sums] = field(default_factory=dict)
    kinds: dict[Kind, Learnt] = field(default_factory=dict)


@contextmanager
def by_index() -> Iterator[None]:
    """A transaction whose statements keep to indexes and stop at their limits, also when the
    planner takes a table for small."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('enable_seqscan', 'off', true),"
            " set_config('enable_bitmapscan', 'off', true)"
        )
        yield


def ended_between(
    begin: datetime, end: datetime, owner: int | None = None, *, unit: str = "minute"
) -> Ended:
    """The jobs that ended at `begin` or later and before `end`, grouped by minute or hour; of one
    owner, or of all.

    Like what follows, it is called inside `by_index`.
    """
    found = Ended()
    values = {
        "begin": begin,
        "end": end,
        "owner": owner,
        "unit": unit,
        "powers": _POWERS,
        "edges": list(EDGES),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, values)
        for *group, target_format, size_class, wait, run, jobs, waited, ran in cursor.fetchall():
            sums = found.groups.setdefault(Group(*group), Sums())
            _put(sums, wait, run, jobs, waited, ran)
            if group[-1] == "COMPLETED" and run is not None:
                learnt = found.kinds.setdefault(Kind(group[2], target_format, size_class), Learnt())
                learnt.jobs += jobs
                learnt.seconds += ran
    return found


def first_end(begin: datetime, end: datetime) -> datetime | None:
    """When the first job ended in this stretch, if one did."""
    return _moment(_FIRST, begin=begin, end=end)


def bounded(begin: datetime, end: datetime, rows: int) -> datetime:
    """`end`, or so much earlier that few more than twice so many jobs ended since `begin`."""
    row = _moment(_ROW, begin=begin, end=end, rows=rows)
    return end if row is None else max(row, begin + timedelta(microseconds=1))


def _moment(sql: str, **values: Any) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[datetime | None] = cursor.fetchone()
    return row[0]


def _put(
    sums: Sums, wait: int | None, run: int | None, jobs: int, waited: float, ran: float
) -> None:
    sums.jobs += jobs
    if wait is not None and run is not None:
        count(sums.waits, wait, jobs)
        count(sums.runs, run, jobs)
        sums.wait_seconds += waited
        sums.run_seconds += ran
