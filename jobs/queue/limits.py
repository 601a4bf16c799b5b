"""How many jobs of one owner may be in work at a time, and how many he may submit a minute.

Whatever shares a limit has a key: its kind and the owner. Jobs without an owner share theirs. The
settings' limits are for everybody, a plan's for its owner; the stricter one holds.
"""

import math
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts.models import plans_of
from accounts.plans import UNLIMITED, Plan
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


@dataclass(frozen=True, slots=True)
class Limit:
    """How many jobs of a kind one owner may have in work at a time.

    kind: begins their keys. setting: the limit of everybody. of_plan: the field of Plan with the
    owner's own.
    """

    kind: str
    setting: str
    of_plan: str

    def key(self, owner_id: int | None) -> str:
        """What these jobs of an owner share."""
        return f"{self.kind}:{owner_id or ''}"

    def most(self, plan: Plan) -> int:
        """0 for any number."""
        return stricter(getattr(settings, self.setting), getattr(plan, self.of_plan))


JOBS = Limit("owner", "CONCURRENT_JOBS_LIMIT", "concurrent_jobs")
# Workers of the release before read an owner in every key that sorts after `owner:`.
DELIVERIES = Limit("deliveries", "WEBHOOK_CONCURRENT_LIMIT", "concurrent_deliveries")
LIMITS = {limit.kind: limit for limit in (JOBS, DELIVERIES)}


class TooManySubmissions(Exception):
    """The limit of a minute is reached. retry_after: whole seconds until the next. ever: whether
    so many can be taken in a minute at all."""

    def __init__(self, most: int, retry_after: int, *, ever: bool = True) -> None:
        super().__init__(f"At most {most} jobs a minute are taken; try again in {retry_after} s.")
        self.most = most
        self.retry_after = retry_after
        self.ever = ever


def owner_key(owner_id: int | None) -> str:
    """What the jobs of an owner share, but those of a kind of their own."""
    return JOBS.key(owner_id)


def stricter(*limits: int) -> int:
    """The lowest of these limits; 0 is none."""
    return min((limit for limit in limits if limit), default=0)


def spend(owner_id: int | None, jobs: int = 1, *, most: int = 0) -> None:
    """Count submissions against JOBS_PER_MIN_LIMIT and the owner's own limit, exactly, whoever else
    submits this moment.

    Raises TooManySubmissions, and then counts none of them.
    """
    most = stricter(settings.JOBS_PER_MIN_LIMIT, most)
    if most and (seconds := count(owner_key(owner_id), jobs, most=most)):
        raise TooManySubmissions(most, seconds, ever=jobs <= most)


def count(key: str, times: int = 1, *, most: int) -> int:
    """Count what is done in this minute by whoever shares the key. Returns 0, or, where it would be
    more than `most`, counts nothing and returns the whole seconds until the next minute."""
    counted = fetch(_SPEND, {"key": key, "jobs": times, "most": most})
    if times <= most and counted:
        return 0
    [(seconds,)] = fetch(_UNTIL_NEXT_MINUTE, {})
    whole: int = math.ceil(seconds)
    return max(1, whole)


def release() -> list[int]:
    """Queue throttled jobs as far as limits allow. Returns the priority of each."""
    keys = [key for (key,) in fetch("SELECT key FROM jobs_throttled_keys() AS key", {})]
    if not keys:
        return []
    [(released,)] = fetch(
        "SELECT jobs_release_of(%(keys)s, %(most)s)", {"keys": keys, "most": _most(keys)}
    )
    if released:
        transaction.on_commit(lambda: announce(*set(released)), robust=True)
    return released or []


def _most(keys: list[str]) -> list[int]:
    """Of each key, how many of its jobs may be in work now, whatever it was at their submission; 0
    for any number, also of a kind that nobody here knows: such jobs must not wait for ever."""
    read = [_read(key) for key in keys]
    plans = plans_of({owner for _, owner in read if owner})
    return [limit.most(plans.get(owner, UNLIMITED)) if limit else 0 for limit, owner in read]


def _read(key: str) -> tuple[Limit | None, int]:
    """Its limit, and its owner; 0 for none."""
    kind, _, owner = key.partition(":")
    limit = LIMITS.get(kind)
    return limit, int(owner or 0) if limit else 0
