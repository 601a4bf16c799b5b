"""How many jobs there are and were, how fast they came through, how long they waited and ran.

Ended jobs are read from their rollups and, for the half minute that is not rolled up yet, from
their rows; so the cost goes with the number of rollups and not of jobs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from jobs.priorities import Pool, parse_pools
from jobs.states import FINAL, Status
from jobs.stats.ended import Group, Sums, bounded, by_index, ended_between
from jobs.stats.figures import Figures, figures, figures_by
from jobs.stats.histogram import BUCKETS
from jobs.stats.waiting import Count, Exactness, oldest_waiting, waiting_counts

TAIL_ROWS = 20_000
MOST_OWNERS = 100
MINUTES_UP_TO = timedelta(days=1)

_BARS = ", ".join(
    f"ARRAY[{', '.join(f'sum({bars}[{place}])' for place in range(1, BUCKETS + 1))}]"
    for bars in ("waits", "runs")
)
# With the mark up to which it was added up, in one snapshot.
_ROLLED = """
SELECT mark.reached, rolled.*
FROM (SELECT max(reached) AS reached FROM jobs_rollupmark WHERE id = 1) mark
LEFT JOIN (
  SELECT priority, job_type, owner_id, status, sum(jobs), sum(wait_seconds), sum(run_seconds){bars}
  FROM jobs_jobrollup
  WHERE begins_at >= %(since)s AND (%(owner)s::bigint IS NULL OR coalesce(owner_id, 0) = %(owner)s)
  GROUP BY priority, job_type, owner_id, status
) rolled ON true
"""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What ended from `since` up to `up_to`, as a whole and by pool, job_type and owner.

    oldest_waiting: how many seconds the oldest queued job of each pool has waited, of all owners.
    """

    since: datetime
    up_to: datetime
    overall: Figures
    by_pool: dict[str, Figures]
    by_type: dict[str, Figures]
    by_owner: dict[int | None, Figures]
    oldest_waiting: dict[str, float | None]


class _Read(NamedTuple):
    up_to: datetime
    whole: bool
    groups: list[tuple[Group, Sums]]


def counts(owner: int | None = None) -> dict[Status, Count]:
    """Jobs by status, of one owner, of NOBODY or of all.

    Those that wait and run: now. COMPLETED, FAILED and CANCELLED: how many ended so within
    STATS_RETENTION_DAYS, whether or not they were retried or deleted since.
    """
    now = _now()
    read = _read(now - timedelta(days=settings.STATS_RETENTION_DAYS), now, owner, bars=False)
    ended = figures(read.groups, 1).ended
    exactness: Exactness = "exact" if read.whole else "at_least"
    with by_index():
        waiting = waiting_counts(owner)
    return {
        **waiting,
        **{status: Count(jobs, exactness) for status, jobs in ended.items() if status in FINAL},
    }


def statistics(window_seconds: float, *, owner: int | None = None) -> Statistics:
    """The last `window_seconds`, begun at a whole minute, or hour beyond a day; of one owner, or of
    all.

    by_owner has the hundred with most jobs. While the rollup is far behind, `up_to` is before now:
    about 20,000 jobs are read from their rows.
    """
    now = _now()
    since = _beginning(now, timedelta(seconds=window_seconds))
    read = _read(since, now, owner)
    minutes = max((read.up_to - since).total_seconds(), 1.0) / 60
    pools = parse_pools(settings.POOLS)
    by_owner = figures_by(lambda group: [group.owner_id], read.groups, minutes)
    return Statistics(
        since=since,
        up_to=read.up_to,
        overall=figures(read.groups, minutes),
        by_pool=figures_by(lambda group: _serving(pools, group.priority), read.groups, minutes),
        by_type=figures_by(lambda group: [group.job_type], read.groups, minutes),
        by_owner=dict(list(by_owner.items())[:MOST_OWNERS]),
        oldest_waiting=_oldest(pools),
    )


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [now] = cursor.fetchone()
    return now  # type: ignore[no-any-return]  # psycopg does not say


def _beginning(now: datetime, window: timedelta) -> datetime:
    """Where a stretch begins, at the window's beginning or before it."""
    since = (now - window).replace(second=0, microsecond=0)
    return since if window <= MINUTES_UP_TO else since.replace(minute=0)


def _read(since: datetime, now: datetime, owner: int | None, *, bars: bool = True) -> _Read:
    """Rollups, and behind their mark the rows. What ended before the mark is in the rollups, and
    nothing is added before it later."""
    sql = _ROLLED.format(bars=f", {_BARS}" if bars else "")
    with by_index(), connection.cursor() as cursor:
        cursor.execute(sql, {"since": since, "owner": owner})
        rows = cursor.fetchall()
        begin = max(since, rows[0][0] or since)
        end = bounded(begin, now, TAIL_ROWS)
        tail = ended_between(begin, end, owner)
    rolled = [_rolled(since, *values) for _, *values in rows if values[0] is not None]
    return _Read(end, end == now, [*rolled, *tail.groups.items()])


def _rolled(
    since: datetime, priority: int, job_type: str, owner_id: int | None, status: str, *sums: Any
) -> tuple[Group, Sums]:
    jobs, waited, ran, *bars = sums
    group = Group(since, priority, job_type, owner_id, status)
    return group, Sums(jobs, waited, ran, *([jobs or 0 for jobs in places] for places in bars))


def _serving(pools: dict[str, Pool], priority: int) -> Iterable[str]:
    return [pool.name for pool in pools.values() if pool.lowest <= priority <= pool.highest]


def _oldest(pools: dict[str, Pool]) -> dict[str, float | None]:
    with by_index():
        ages = oldest_waiting()
    return {name: _most(ages, pool) for name, pool in pools.items()}


def _most(ages: dict[int, float], pool: Pool) -> float | None:
    served: Sequence[float] = [
        age for priority, age in ages.items() if pool.lowest <= priority <= pool.highest
    ]
    return max(served, default=None)
