"""Cancel jobs: waiting ones at once, running ones by a flag that their worker looks at."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from jobs.models import Job
from jobs.queue.database import fetch
from jobs.queue.errors import AlreadyFinal, NoSuchJob
from jobs.queue.selection import Selection
from jobs.queue.signal import CANCEL, announce
from jobs.states import FINAL, Status

BATCH = 500

# The row is looked at under its lock, so a claim or a settlement comes wholly before or wholly
# after; what is written follows from the row alone, which is then the newest. Who asks again for a
# running job is not told of again.
_CANCEL = """
WITH found AS MATERIALIZED (
  SELECT id, status FROM jobs_job
  WHERE id = ANY(%(ids)s)
  ORDER BY id
  FOR NO KEY UPDATE{skip}
), cancelled AS (
  UPDATE jobs_job job SET
    status = CASE job.status WHEN 'IN_PROGRESS' THEN 'IN_PROGRESS' ELSE 'CANCELLED' END,
    completed_at = CASE WHEN job.status <> 'IN_PROGRESS' THEN clock_timestamp() END,
    cancel_requested = job.status = 'IN_PROGRESS'
  FROM found
  WHERE job.id = found.id AND job.status <> ALL(%(final)s) AND NOT job.cancel_requested
  RETURNING job.id, job.status, job.completed_at
), told AS (
  INSERT INTO jobs_jobevent (job_id, at, kind, actor, detail)
  SELECT id, coalesce(completed_at, clock_timestamp()), 'cancel_requested', %(actor)s, '{{}}'
  FROM cancelled
)
SELECT found.id, found.status, cancelled.status FROM found LEFT JOIN cancelled USING (id)
"""
_CANCEL_ONE = _CANCEL.format(skip="")
# Of many jobs, those that are claimed, renewed or settled this moment are passed over: to wait for
# one while others are held could make a deadlock. Each is waited for later, alone.
_CANCEL_MANY = _CANCEL.format(skip=" SKIP LOCKED")
_REQUESTED = """
SELECT lease FROM jobs_job
WHERE id = ANY(%(ids)s) AND cancel_requested AND lease_expires_at IS NOT NULL
"""


def cancel(job_id: UUID, *, actor: str = "") -> Status:
    """Cancel one job. Returns how it stands: CANCELLED, or IN_PROGRESS until its worker stopped.

    actor: who asked, for the job's history.
    Raises NoSuchJob, AlreadyFinal.
    """
    rows = _cancel(_CANCEL_ONE, [job_id], actor)
    if not rows:
        raise NoSuchJob(job_id)
    [(_, before, after)] = rows
    if before in FINAL:
        raise AlreadyFinal(Status(before))
    return Status(after or before)


def cancel_where(selection: Selection, *, actor: str = "") -> int:
    """Cancel all selected jobs that are not final, in small commits. Returns how many.

    Inside a transaction of the caller's, jobs that somebody has locked this moment are passed over.
    """
    asked = selection.condition()
    open_jobs = Job.objects.filter(asked, cancel_requested=False).exclude(status__in=FINAL)
    cancelled = 0
    last: UUID | None = None
    while True:
        behind = open_jobs if last is None else open_jobs.filter(id__gt=last)
        ids = list(behind.order_by("id").values_list("id", flat=True)[:BATCH])
        if not ids:
            return cancelled
        rows = _cancel(_CANCEL_MANY, ids, actor)
        if not transaction.get_connection().in_atomic_block:
            for job_id in sorted(set(ids) - {found for found, _, _ in rows}):
                rows += _cancel(_CANCEL_ONE, [job_id], actor)
        cancelled += sum(after is not None for _, _, after in rows)
        last = ids[-1]


def _cancel(sql: str, ids: list[UUID], actor: str) -> list[tuple[UUID, str, str | None]]:
    rows = fetch(sql, {"ids": ids, "actor": actor, "final": [status.value for status in FINAL]})
    if any(after == Status.IN_PROGRESS for _, _, after in rows):
        transaction.on_commit(lambda: announce(CANCEL), robust=True)
    return rows


def requested(held: Mapping[int, UUID]) -> set[int]:
    """Which of the leases in `held` (job id by lease) are of jobs that are to be cancelled."""
    found = {lease for (lease,) in fetch(_REQUESTED, {"ids": list(held.values())})}
    return found & held.keys()
