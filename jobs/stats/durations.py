"""Learn how long jobs of a kind take: a mean in which the newest weigh most."""

from collections.abc import Mapping

from django.db import connection

from jobs.stats.ended import Kind, Learnt

# What one more job weighs, once there are many: the last twenty make up two thirds of the mean.
NEWEST = 0.05

_LEARN = """
INSERT INTO jobs_durationhistory AS history
  (job_type, target_format, size_class, jobs, mean_seconds, updated_at)
VALUES (%(job_type)s, %(target_format)s, %(size_class)s, %(jobs)s, %(mean)s, clock_timestamp())
ON CONFLICT (job_type, target_format, size_class) DO UPDATE SET
  jobs = least(history.jobs::bigint + excluded.jobs, 2000000000),
  mean_seconds = history.mean_seconds + (excluded.mean_seconds - history.mean_seconds) * greatest(
    excluded.jobs::float8 / (history.jobs::float8 + excluded.jobs),
    1 - power(1 - %(newest)s, excluded.jobs)),
  updated_at = excluded.updated_at
"""
_FORGET = """
DELETE FROM jobs_durationhistory WHERE updated_at < clock_timestamp() - make_interval(days => %s)
"""


def learn(kinds: Mapping[Kind, Learnt]) -> None:
    """Take completed jobs into the history, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            _LEARN,
            [
                {
                    **kind._asdict(),
                    "jobs": learnt.jobs,
                    "mean": learnt.seconds / learnt.jobs,
                    "newest": NEWEST,
                }
                for kind, learnt in kinds.items()
            ],
        )


def forget(days: int) -> None:
    """Drop kinds of which no job completed for so long."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [days])
