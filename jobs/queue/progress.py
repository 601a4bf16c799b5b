"""Write how far running jobs are, and tell how long they will still take.

Of jobs with `notify` it is told outside once a while: `told_at` moves, which a trigger sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs.queue.database import fetch
from jobs.queue.finish import storable

MAX_MESSAGE_CHARACTERS = 200
TELL_EVERY_SECONDS = 10.0

# Like a heartbeat, it passes over rows that are being settled this moment.
_REPORT = """
WITH held AS MATERIALIZED (
  SELECT job.id, mine.progress, mine.message, CASE
      WHEN job.notify AND mine.progress IS DISTINCT FROM job.progress AND coalesce(
        job.told_at < clock_timestamp() - make_interval(secs => %(tell_every)s), true)
      THEN clock_timestamp() ELSE job.told_at END AS told_at
  FROM unnest(%(ids)s::uuid[], %(leases)s::bigint[], %(progress)s::float8[], %(messages)s::text[])
       AS mine(id, lease, progress, message)
  JOIN jobs_job job ON job.id = mine.id
  WHERE job.lease = mine.lease AND job.status = 'IN_PROGRESS'
  ORDER BY job.id
  FOR NO KEY UPDATE OF job SKIP LOCKED
)
UPDATE jobs_job job SET
  progress = held.progress, progress_message = held.message, told_at = held.told_at
FROM held WHERE job.id = held.id
RETURNING job.lease
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one leased job is: 0.0-1.0, or None where nobody knows."""

    job_id: UUID
    lease: int
    progress: float | None
    message: str


def report_progress(reports: Sequence[Progress]) -> set[int]:
    """Write progress for all of these jobs. Returns the leases for which it was written."""
    rows = fetch(
        _REPORT,
        {
            "tell_every": TELL_EVERY_SECONDS,
            "ids": [report.job_id for report in reports],
            "leases": [report.lease for report in reports],
            "progress": [_fraction(report.progress) for report in reports],
            "messages": [storable(report.message)[:MAX_MESSAGE_CHARACTERS] for report in reports],
        },
    )
    return {lease for (lease,) in rows}


def seconds_left(
    started_at: datetime | None, progress: float | None, now: datetime
) -> float | None:
    """How long a running job will still take if it goes on as it did; None when nobody can tell."""
    if started_at is None or not progress:
        return None
    taken = max(0.0, (now - started_at).total_seconds())
    return taken * (1 - progress) / progress


def _fraction(progress: float | None) -> float | None:
    return None if progress is None else max(0.0, min(1.0, progress))
