"""How many jobs of one owner may be in work at a time, and how many he may submit a minute.

Whatever shares a limit has a key. Jobs without an owner share theirs.
"""

import math

from django.conf import settings
from django.db import transaction

from jobs.queue.database import fetch
from jobs.queue.signal import announce

# A clock that another submission saw a little later must not begin an older minute anew.
_SPEND = """
INSERT INTO jobs_submissioncount AS counted (throttle_key, minute, jobs)
VALUES (%(key)s, date_trunc('minute', clock_timestamp()), %(jobs)s)
ON CONFLICT (throttle_key) DO UPDATE SET
  minute = greatest(counted.minute, excluded.minute),
  jobs = excluded.jobs + CASE WHEN counted.minute >= excluded.minute THEN counted.jobs ELSE 0 END
WHERE excluded.jobs + CASE WHEN counted.minute >= excluded.minute THEN counted.jobs ELSE 0 END
  <= %(most)s
RETURNING jobs
"""
_UNTIL_NEXT_MINUTE = """
SELECT extract(epoch FROM date_trunc('minute', moment) + interval '1 minute' - moment)::float8
FROM clock_timestamp() AS moment
"""


class TooManySubmissions(Exception):
    """JOBS_PER_MIN_LIMIT is reached. retry_after: whole seconds until the next minute. ever:
    whether so many can be taken in a minute at all."""

    def __init__(self, retry_after: int, *, ever: bool = True) -> None:
        super().__init__(
            f"At most {settings.JOBS_PER_MIN_LIMIT} jobs a minute are taken;"
            f" try again in {retry_after} s."
        )
        self.retry_after = retry_after
        self.ever = ever


def owner_key(owner_id: int | None) -> str:
    """What the jobs of an owner share."""
    return f"owner:{owner_id or ''}"


def throttle_key(owner_id: int | None) -> str:
    """The key of a new job: none while CONCURRENT_JOBS_LIMIT is off."""
    return owner_key(owner_id) if settings.CONCURRENT_JOBS_LIMIT else ""


def spend(owner_id: int | None, jobs: int = 1) -> None:
    """Count submissions against JOBS_PER_MIN_LIMIT, exactly, whoever else submits this moment.

    Raises TooManySubmissions, and then counts none of them.
    """
    if not settings.JOBS_PER_MIN_LIMIT:
        return
    most = settings.JOBS_PER_MIN_LIMIT
    counted = fetch(_SPEND, {"key": owner_key(owner_id), "jobs": jobs, "most": most})
    if jobs > most or not counted:
        [(seconds,)] = fetch(_UNTIL_NEXT_MINUTE, {})
        raise TooManySubmissions(max(1, math.ceil(seconds)), ever=jobs <= most)


def release() -> list[int]:
    """Queue throttled jobs as far as CONCURRENT_JOBS_LIMIT allows. Returns the priority of each."""
    most = settings.CONCURRENT_JOBS_LIMIT
    [(released,)] = fetch("SELECT jobs_release(%(most)s)", {"most": most})
    if released:
        transaction.on_commit(lambda: announce(*set(released)), robust=True)
    return released or []
