"""Running totals of ended jobs, of each owner and of everybody.

A row says what had ended up to a moment; what ended in between two moments is the difference of two
rows, so a window costs the same whatever its length and however many rows and jobs there are.

Who adds holds the lock of the mark (`jobs/stats/rollup.py`).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from jobs.stats.ended import Group, Sums
from jobs.stats.histogram import subtracted

# In place of an owner: all jobs, whoever owns them.
EVERYBODY = -1

# The newest row of each series, from one to the next along the index, and the last one that `since`
# had. With the mark up to which they are added up, in one snapshot. Rows from before mark 4 are
# forgotten, so no window begins before it.
_BETWEEN = """
WITH RECURSIVE beginning AS MATERIALIZED (
  SELECT greatest(%(since)s::timestamptz, (SELECT reached FROM jobs_rollupmark WHERE id = 4)) AS at
), newest AS (
  (SELECT {columns} FROM jobs_jobtotal
   WHERE owner_id = %(owner)s
   ORDER BY owner_id DESC, priority DESC, job_type DESC, status DESC, until DESC LIMIT 1)
  UNION ALL
  SELECT next.* FROM newest CROSS JOIN LATERAL (
    SELECT {columns} FROM jobs_jobtotal
    WHERE owner_id = %(owner)s AND (priority, job_type, status)
      < (newest.priority, newest.job_type, newest.status)
    ORDER BY owner_id DESC, priority DESC, job_type DESC, status DESC, until DESC LIMIT 1
  ) next
)
SELECT mark.reached, (SELECT at FROM beginning), ended.*
FROM (SELECT max(reached) AS reached FROM jobs_rollupmark WHERE id = 1) mark
LEFT JOIN (
  SELECT newest.priority, newest.job_type, newest.owner_id, newest.status,
    newest.jobs - coalesce(base.jobs, 0),
    newest.wait_seconds - coalesce(base.wait_seconds, 0),
    newest.run_seconds - coalesce(base.run_seconds, 0){bars}
  FROM newest
  LEFT JOIN LATERAL (
    SELECT * FROM jobs_jobtotal total
    WHERE total.owner_id = newest.owner_id AND total.priority = newest.priority
      AND total.job_type = newest.job_type AND total.status = newest.status
      AND total.until <= (SELECT at FROM beginning)
    ORDER BY until DESC LIMIT 1
  ) base ON true
  WHERE newest.until > (SELECT at FROM beginning)
) ended ON true
"""
_COLUMNS = "owner_id, priority, job_type, status, until, jobs, wait_seconds, run_seconds"
_BARS = ", newest.waits, newest.runs, coalesce(base.waits, '{}'), coalesce(base.runs, '{}')"
_NEWEST = """
SELECT series.owner_id, series.priority, series.job_type, series.status,
  total.jobs, total.wait_seconds, total.run_seconds, total.waits, total.runs
FROM json_to_recordset(%s)
  AS series(owner_id bigint, priority smallint, job_type text, status text)
CROSS JOIN LATERAL (
  SELECT * FROM jobs_jobtotal total
  WHERE total.owner_id = series.owner_id AND total.priority = series.priority
    AND total.job_type = series.job_type AND total.status = series.status
  ORDER BY until DESC LIMIT 1
) total
"""
_PUT = """
INSERT INTO jobs_jobtotal
  (owner_id, priority, job_type, status, until, jobs, wait_seconds, run_seconds, waits, runs)
SELECT * FROM json_to_recordset(%s) AS put(
  owner_id bigint, priority smallint, job_type text, status text, until timestamptz,
  jobs bigint, wait_seconds float8, run_seconds float8, waits bigint[], runs bigint[])
ON CONFLICT (owner_id, priority, job_type, status, until) DO UPDATE SET
  jobs = excluded.jobs, wait_seconds = excluded.wait_seconds, run_seconds = excluded.run_seconds,
  waits = excluded.waits, runs = excluded.runs
"""


class Series(NamedTuple):
    """Whose running totals, and of which jobs."""

    owner_id: int
    priority: int
    job_type: str
    status: str


class Between(NamedTuple):
    """What ended since a moment, as far as it is added up.

    reached: up to when that is; None before anything was added up. since: that moment, or a later
    one when that is forgotten already.
    """

    reached: datetime | None
    since: datetime
    groups: list[tuple[Group, Sums]]


def between(since: datetime, owner: int, *, bars: bool = True) -> Between:
    """What ended since then, of an owner or EVERYBODY; without `bars` not how long it took."""
    sql = _BETWEEN.format(
        columns=f"{_COLUMNS}, waits, runs" if bars else _COLUMNS, bars=_BARS if bars else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": since, "owner": owner})
        rows = cursor.fetchall()
    reached, begins_at = rows[0][:2]
    return Between(
        reached,
        begins_at,
        [
            (Group(begins_at, *row[2:6]), _difference(*row[6:]))
            for row in rows
            if row[2] is not None
        ],
    )


def add(ended: Mapping[Group, Sums], stretch: timedelta) -> None:
    """Put these to the totals; nothing that was put before ended after their stretches."""
    added: defaultdict[datetime, defaultdict[Series, Sums]]
    added = defaultdict(lambda: defaultdict(Sums))
    for group, sums in ended.items():
        for owner in (group.owner_id, EVERYBODY):
            series = Series(owner, group.priority, group.job_type, group.status)
            added[group.begins_at + stretch][series].add(sums)
    totals = _newest({series for one in added.values() for series in one})
    with connection.cursor() as cursor:
        cursor.execute(_PUT, [json.dumps(list(_rows(added, totals)))])


def _newest(wanted: Iterable[Series]) -> dict[Series, Sums]:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [json.dumps([series._asdict() for series in wanted])])
        return {Series(*row[:4]): Sums(*row[4:]) for row in cursor.fetchall()}


def _rows(
    added: Mapping[datetime, Mapping[Series, Sums]], totals: dict[Series, Sums]
) -> Iterator[dict[str, object]]:
    for until in sorted(added):
        for series, sums in added[until].items():
            total = totals.setdefault(series, Sums())
            total.add(sums)
            yield {
                **series._asdict(),
                "until": until.isoformat(),
                "jobs": total.jobs,
                "wait_seconds": total.wait_seconds,
                "run_seconds": total.run_seconds,
                "waits": total.waits,
                "runs": total.runs,
            }


def _difference(jobs: int, waited: float, ran: float, *bars: list[int]) -> Sums:
    waits, runs, waits_before, runs_before = bars or ([], [], [], [])
    return Sums(jobs, waited, ran, subtracted(waits, waits_before), subtracted(runs, runs_before))
