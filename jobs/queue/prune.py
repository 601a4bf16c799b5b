"""Delete jobs that ended long enough ago, oldest first, in small batches.

A batch is a transaction of a few milliseconds that locks only what it deletes and waits for nobody.
A round walks each index of ended jobs once, up to the shortest time of JOB_RETENTION: jobs that are
kept longer are looked at and stepped over.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from jobs.queue.orphans import SHARES, sweep_orphans
from jobs.queue.remove import remove
from jobs.queue.retention import Retention, parse_retention
from jobs.states import Status
from jobs.stats.ended import by_index

BATCH = 200
ROUND_SECONDS = 3600

# What is not rolled up yet stays.
_BEFORE = """
SELECT least(reached, clock_timestamp() - make_interval(secs => %s))
FROM jobs_rollupmark WHERE id = 1
"""
_COMPLETED = """
SELECT created_at, job_id FROM jobs_jobmetrics
WHERE created_at >= %(at)s AND created_at < %(before)s AND (created_at, job_id) > (%(at)s, %(id)s)
ORDER BY created_at, job_id
LIMIT %(batch)s
"""
_NOT_COMPLETED = """
SELECT completed_at, id FROM jobs_job
WHERE status IN ('FAILED', 'CANCELLED')
  AND completed_at >= %(at)s AND completed_at < %(before)s AND (completed_at, id) > (%(at)s, %(id)s)
ORDER BY completed_at, id
LIMIT %(batch)s
"""
_DUE = """
SELECT id FROM jobs_job job
WHERE id = ANY(%(ids)s) AND completed_at < clock_timestamp() - make_interval(secs => (
  SELECT seconds FROM unnest(%(types)s::text[], %(statuses)s::text[], %(seconds)s::float8[])
    AS rule(job_type, status, seconds)
  WHERE rule.status = job.status AND rule.job_type IN (job.job_type, '')
  ORDER BY rule.job_type DESC
  LIMIT 1))
ORDER BY id
FOR UPDATE SKIP LOCKED
"""
# The mark 2 is when the last round began: of all worker processes one prunes in an hour. A mark
# ahead of the clock was set while that was wrong.
_BEGIN_ROUND = """
INSERT INTO jobs_rollupmark AS mark (id, reached) VALUES (2, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET reached = excluded.reached
WHERE mark.reached NOT BETWEEN clock_timestamp() - make_interval(secs => %s) AND clock_timestamp()
RETURNING extract(epoch FROM reached)
"""
log = structlog.get_logger(__name__)

_BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


@dataclass(slots=True)
class Pruned:
    """What went: jobs, and output folders whose job had gone before."""

    jobs: int = 0
    orphans: int = 0


def prune() -> Pruned:
    """A whole round at once, with all folders. Raises ValueError where JOB_RETENTION is wrong."""
    pruned = Pruned()
    for _ in _round(pruned, None):
        pass
    return pruned


class Pruner:
    """The rounds of a worker process, a little at a time."""

    def __init__(self) -> None:
        self._pruned = Pruned()
        self._round: Iterator[None] | None = None

    def sweep(self, seconds: float = 0.1) -> bool:
        """Begin a round, unless some process did within the hour, or go on with it for about so
        long. Returns whether more is left of it.

        A round looks at a sixteenth of the output folders, another each hour.
        """
        if self._round is None:
            hour = _begin_round()
            if hour is None:
                return False
            self._pruned = Pruned()
            self._round = _round(self._pruned, hour % SHARES)
        deadline = time.monotonic() + seconds
        for _ in self._round:
            if time.monotonic() > deadline:
                return True
        self._round = None
        log.info("jobs.pruned", jobs=self._pruned.jobs, orphans=self._pruned.orphans)
        return False


def _begin_round() -> int | None:
    """The number of the hour, when this process is the one to prune in it."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN_ROUND, [ROUND_SECONDS])
        row = cursor.fetchone()
    return None if row is None else int(row[0] // ROUND_SECONDS)


def _round(pruned: Pruned, share: int | None) -> Iterator[None]:
    """Yields after each batch."""
    retention = parse_retention(settings.JOB_RETENTION)
    for ended, statuses in (
        (_COMPLETED, (Status.COMPLETED,)),
        (_NOT_COMPLETED, (Status.FAILED, Status.CANCELLED)),
    ):
        shortest = retention.shortest(*statuses)
        before = None if shortest is None else _before(shortest)
        if before is not None:
            for ids in _walk(ended, before):
                pruned.jobs += _prune_batch(ids, retention)
                yield
    for orphans in sweep_orphans(share):
        pruned.orphans += orphans
        yield


def _before(seconds: int) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [seconds])
        row: tuple[datetime] | None = cursor.fetchone()
    return None if row is None else row[0]


def _walk(ended: str, before: datetime) -> Iterator[list[UUID]]:
    """The jobs that ended before this, oldest first, in batches."""
    at, last = _BEGINNING, UUID(int=0)
    while True:
        with by_index(), connection.cursor() as cursor:
            cursor.execute(ended, {"at": at, "id": last, "before": before, "batch": BATCH})
            rows = cursor.fetchall()
        if not rows:
            return
        at, last = rows[-1]
        yield [job_id for _, job_id in rows]


def _prune_batch(ids: list[UUID], retention: Retention) -> int:
    """Delete those that are due. A row that somebody has locked waits for the next round."""
    rules = [(job_type, status, time) for (job_type, status), time in retention.seconds.items()]
    types, statuses, seconds = zip(*rules, strict=True)
    values = {
        "ids": ids,
        "types": list(types),
        "statuses": list(statuses),
        "seconds": list(seconds),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        return len(remove([job_id for (job_id,) in cursor.fetchall()]))
