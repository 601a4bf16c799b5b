"""When something becomes due next, so that nobody has to look before."""

from jobs.queue.database import fetch

# The first entries of two partial indexes.
_SECONDS = """
SELECT extract(epoch FROM least(
  (SELECT scheduled_at FROM jobs_job
   WHERE status = 'PENDING' AND scheduled_at IS NOT NULL ORDER BY scheduled_at LIMIT 1),
  (SELECT next_fire_at FROM jobs_schedule
   WHERE NOT paused AND next_fire_at IS NOT NULL ORDER BY next_fire_at LIMIT 1)
) - clock_timestamp())::float8
"""


def seconds_until_due() -> float | None:
    """How long until a waiting job or a schedule is due, on the database's clock: 0 or less when
    one is now, None when there is none."""
    [(seconds,)] = fetch(_SECONDS, {})
    return None if seconds is None else float(seconds)
