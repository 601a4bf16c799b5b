"""Add ended jobs up, once each, behind a mark that moves with the clock.

The mark and what was added move in one transaction: a crash leaves both or neither. Whoever has the
mark's row locked is the one maintainer at work; the others pass.

What is counted are ends. A job that failed and is retried counts as FAILED, and once more when it
ends again; a job that is deleted stays counted. Only one that is retried or deleted before the mark
has passed its end, which takes about half a minute, is not counted for that end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from jobs.stats import durations, thinning, totals
from jobs.stats.ended import bounded, by_index, ended_between, first_end

ROWS = 2_000  # a batch has at most about twice so many
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# Statements of workers end within ten seconds; what commits later than this is waited for below.
SETTLED_AFTER_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 300.0
# Of many processes that come along, one in so many seconds has something to do.
WORTH_SECONDS = 5.0
MINUTES_KEPT = timedelta(days=2)

_BEGIN = """
INSERT INTO jobs_rollupmark (id, reached)
SELECT 1, greatest(
  least((SELECT min(created_at) FROM jobs_jobmetrics),
        (SELECT min(completed_at) FROM jobs_job WHERE status IN ('FAILED', 'CANCELLED')),
        %(settled)s),
  clock_timestamp() - make_interval(days => %(days)s))
WHERE NOT EXISTS (SELECT FROM jobs_rollupmark WHERE id = 1)
ON CONFLICT DO NOTHING
"""
_FRESH = """
SELECT reached BETWEEN clock_timestamp() - make_interval(secs => %s) AND clock_timestamp()
FROM jobs_rollupmark WHERE id = 1
"""
_LOCK = """
SELECT reached, reached > clock_timestamp() FROM jobs_rollupmark WHERE id = 1
FOR UPDATE SKIP LOCKED
"""
_MOVE = "UPDATE jobs_rollupmark SET reached = %s WHERE id = 1"
# A transaction that began to write before a moment may still bring ends of before that moment. It
# is waited for, though not for ever.
_SETTLED = """
SELECT greatest(
  clock_timestamp() - make_interval(secs => %(longest)s),
  least(clock_timestamp() - make_interval(secs => %(settled)s),
        (SELECT min(xact_start) FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend'
           AND backend_xid IS NOT NULL AND pid <> pg_backend_pid())))
"""


def roll_up(seconds: float = 0.1) -> bool:
    """Add up what has settled, batch by batch, for about so long. Returns whether more is left."""
    deadline = time.monotonic() + seconds
    while more := _add_batch():
        if time.monotonic() > deadline:
            break
    return more


def condense(seconds: float = 0.1) -> bool:
    """Keep one total an hour instead of one a minute where they are older than two days, for about
    so long, and forget what is older than STATS_RETENTION_DAYS. Returns whether more is left."""
    deadline = time.monotonic() + seconds
    while more := _thin_an_hour():
        if time.monotonic() > deadline:
            break
    _forget()
    durations.forget(settings.STATS_RETENTION_DAYS)
    return more


def _add_batch() -> bool:
    """One batch: of one hour, and a bounded number of rows. Returns whether more is left."""
    if _is_fresh():
        return False
    with by_index(), connection.cursor() as cursor:
        settled = _settled()
        reached = _lock_mark(settled)
        if reached is None or settled <= reached:
            return False
        first = first_end(reached, settled)
        if first is None:
            cursor.execute(_MOVE, [settled])
            return False
        hour = first.replace(minute=0, second=0, microsecond=0)
        old = hour < settled - MINUTES_KEPT - HOUR
        end = bounded(first, min(settled, hour + HOUR), ROWS)
        ended = ended_between(first, end, unit="hour" if old else "minute")
        totals.add(ended.groups, HOUR if old else MINUTE)
        durations.learn(ended.kinds)
        cursor.execute(_MOVE, [end])
    return end < settled


def _is_fresh() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, [SETTLED_AFTER_SECONDS + WORTH_SECONDS])
        row: tuple[bool] | None = cursor.fetchone()
    return row is not None and row[0]


def _settled() -> datetime:
    """Nothing that ended before this is still to be committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLED, {"settled": SETTLED_AFTER_SECONDS, "longest": LONGEST_WAIT_SECONDS}
        )
        row: tuple[datetime] = cursor.fetchone()
    return row[0]


def _lock_mark(settled: datetime) -> datetime | None:
    """Up to when jobs are added up; None while another maintainer is at it."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"settled": settled, "days": settings.STATS_RETENTION_DAYS})
        cursor.execute(_LOCK)
        row: tuple[datetime, bool] | None = cursor.fetchone()
        if row is None:
            return None
        reached, ahead = row
        if ahead:
            # The clock was wrong when it was set. It goes on from now, and not only once the clock
            # has come there; what ended meanwhile with a wrong time may count once more.
            cursor.execute(_MOVE, [settled])
            thinning.bring_back(settled.replace(second=0, microsecond=0) + MINUTE)
            return settled
    return reached


def _thin_an_hour() -> bool:
    with _alone() as alone:
        return alone and thinning.thin(MINUTES_KEPT)


def _forget() -> None:
    with _alone() as alone:
        if alone:
            thinning.forget(timedelta(days=settings.STATS_RETENTION_DAYS))


@contextmanager
def _alone() -> Iterator[bool]:
    """A transaction that no other maintainer works beside; False while another one is at it."""
    with by_index():
        yield _lock_mark(_settled()) is not None
