"""How many jobs there are and were, how fast they came through, how long they waited and ran.

Ended jobs are read from their running totals and, for the half minute that is not added up yet,
from their rows. So the cost goes with the number of kinds of jobs, neither with jobs nor with time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from jobs.priorities import Pool, parse_pools
from jobs.states import FINAL, Status
from jobs.stats.ended import Group, Sums, bounded, by_index, ended_between
from jobs.stats.figures import Figures, figures, figures_by
from jobs.stats.totals import EVERYBODY, between
from jobs.stats.waiting import Count, Exactness, oldest_waiting, waiting_counts

TAIL_ROWS = 20_000
MINUTES_UP_TO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What ended from `since` up to `up_to`, as a whole and by pool and job_type.

    oldest_waiting: how many seconds the oldest queued job of each pool has waited, of all owners.
    """

    since: datetime
    up_to: datetime
    overall: Figures
    by_pool: dict[str, Figures]
    by_type: dict[str, Figures]
    oldest_waiting: dict[str, float | None]


class _Read(NamedTuple):
    since: datetime
    up_to: datetime
    whole: bool
    groups: list[tuple[Group, Sums]]


def counts(owner: int | None = None) -> dict[Status, Count]:
    """Jobs by status, of one owner, of NOBODY or of all.

    Those that wait and run: now. COMPLETED, FAILED and CANCELLED: how many ended so within
    STATS_RETENTION_DAYS, whether or not they were retried or deleted since.
    """
    now = _now()
    since = _beginning(now, timedelta(days=settings.STATS_RETENTION_DAYS))
    read = _read(since, now, owner, bars=False)
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

    While adding up is far behind, `up_to` is before now: about 20,000 jobs are read from their
    rows.
    """
    now = _now()
    since = _beginning(now, timedelta(seconds=window_seconds))
    read = _read(since, now, owner)
    minutes = _minutes(read)
    pools = parse_pools(settings.POOLS)
    return Statistics(
        since=read.since,
        up_to=read.up_to,
        overall=figures(read.groups, minutes),
        by_pool=figures_by(lambda group: _serving(pools, group.priority), read.groups, minutes),
        by_type=figures_by(lambda group: [group.job_type], read.groups, minutes),
        oldest_waiting=_oldest(pools),
    )


def _minutes(read: _Read) -> float:
    return max((read.up_to - read.since).total_seconds(), 1.0) / 60


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
    """Totals, and behind their mark the rows. What ended before the mark is in the totals, and
    nothing is added before it later."""
    whose = EVERYBODY if owner is None else owner
    with by_index():
        reached, since, added = between(since, whose, bars=bars)
        begin = max(since, reached or since)
        end = bounded(begin, now, TAIL_ROWS)
        tail = ended_between(begin, end, owner)
    return _Read(since, end, end == now, [*added, *tail.groups.items()])


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
