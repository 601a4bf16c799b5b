"""Jobs that ended without being done: why, and once more.

Retry puts the same row back into the queue; replay makes a new job like it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Count, Max
from django.db.models.functions import Cast

from jobs.models import Job, JobEvent
from jobs.queue.database import fetch
from jobs.queue.errors import NoSuchJob, NotFinal, NotRetriable
from jobs.queue.likeness import like
from jobs.queue.limits import release
from jobs.queue.selection import EVERYTHING, Selection
from jobs.queue.signal import announce
from jobs.queue.submit import submit_many
from jobs.states import FINAL, Status

BATCH = 500
RETRIABLE = frozenset({Status.FAILED, Status.CANCELLED})

# What the row no longer tells afterwards stands in the event. Somebody wants it now: it no longer
# waits for its time, and does not expire.
_RETRY = """
WITH old AS MATERIALIZED (
  SELECT id, status, scheduled_at, queued_at, completed_at, error_code, error_message,
    clock_timestamp() AS moment
  FROM jobs_job
  WHERE id = ANY(%(ids)s) AND status IN ('FAILED', 'CANCELLED')
  ORDER BY id
  FOR NO KEY UPDATE
), retried AS (
  UPDATE jobs_job job SET
    status = CASE job.throttle_key WHEN '' THEN 'QUEUED' ELSE 'THROTTLED' END,
    queued_at = CASE job.throttle_key WHEN '' THEN old.moment ELSE job.queued_at END,
    scheduled_at = NULL,
    expires_at = NULL,
    completed_at = NULL,
    attempt = 0,
    lost_leases = 0,
    lease = NULL,
    cancel_requested = false,
    progress = NULL,
    progress_message = '',
    result = NULL,
    error_code = '',
    error_message = ''
  FROM old WHERE job.id = old.id
  RETURNING job.id, job.priority
), told AS (
  INSERT INTO jobs_jobevent (job_id, at, kind, actor, detail)
  SELECT id, moment, 'retried', %(actor)s, jsonb_build_object(
    'status', status, 'scheduled_at', scheduled_at, 'queued_at', queued_at,
    'completed_at', completed_at,
    'error_code', error_code, 'error_message', error_message)
  FROM old
)
SELECT id, priority FROM retried
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Jobs that FAILED for one reason. newest_at: when the last of them did. example, example_id:
    the error of the newest job, and its id."""

    jobs: int
    job_type: str
    error_code: str
    newest_at: datetime
    example: str
    example_id: UUID


def retry(job_id: UUID, *, actor: str = "") -> Job:
    """Queue a FAILED or CANCELLED job again, with all its attempts; its history is kept.

    Raises NoSuchJob, NotRetriable.
    """
    if not _retry([job_id], actor):
        raise NotRetriable(Status(_find(job_id).status))
    return _find(job_id)


def replay(job_id: UUID, *, actor: str = "", **changes: Any) -> Job:
    """Submit a new job like this one, which is final. changes: fields of NewJob.

    Raises NoSuchJob, NotFinal.
    """
    with transaction.atomic():
        old = Job.objects.select_for_update(no_key=True).filter(id=job_id).first()
        if old is None:
            raise NoSuchJob(job_id)
        if old.status not in FINAL:
            raise NotFinal(Status(old.status))
        [new_id] = _replay([old], actor, **changes)
    return _find(new_id)


def retry_where(selection: Selection, *, actor: str = "") -> int:
    """Retry every FAILED or CANCELLED job of a selection. Returns how many.

    In small transactions: what was done stays done when a later one fails. Rows that somebody else
    has locked are passed over.
    """
    return _change_all(
        selection, RETRIABLE, lambda jobs: len(_retry([job.id for job in jobs], actor))
    )


def replay_where(selection: Selection, *, actor: str = "", **changes: Any) -> int:
    """Replay every final job of a selection, like retry_where. Returns how many."""
    return _change_all(selection, FINAL, lambda jobs: len(_replay(jobs, actor, **changes)))


def reasons(selection: Selection = EVERYTHING) -> list[Reason]:
    """The FAILED jobs of a selection by type and error code, the most frequent first."""
    failed = Job.objects.filter(selection.condition(), status=Status.FAILED)
    groups = list(
        failed.order_by()
        .values("job_type", "error_code")
        .annotate(
            jobs=Count("*"),
            newest_at=Max("completed_at"),
            # The ids of this service grow; PostgreSQL has no max() of a uuid before 18.
            newest_id=Max(Cast("id", CharField())),
        )
        .order_by("-jobs", "job_type", "error_code")
    )
    newest = [UUID(group["newest_id"]) for group in groups]
    examples = Job.objects.only("error_message").in_bulk(newest)
    return [
        Reason(
            jobs=group["jobs"],
            job_type=group["job_type"],
            error_code=group["error_code"],
            newest_at=group["newest_at"],
            example=examples[job_id].error_message,
            example_id=job_id,
        )
        for group, job_id in zip(groups, newest, strict=True)
        if job_id in examples  # it may be gone by now
    ]


def _find(job_id: UUID) -> Job:
    try:
        return Job.objects.get(id=job_id)
    except Job.DoesNotExist:
        raise NoSuchJob(job_id) from None


def _change_all(
    selection: Selection, statuses: frozenset[Status], change: Callable[[list[Job]], int]
) -> int:
    """Apply `change` to the jobs of a selection that are in one of these states, batch by batch,
    each locked in a transaction of its own. No job comes twice, and none that was made after the
    call: what is changed may fail again, and a replay is a job like those."""
    [(moment,)] = fetch("SELECT clock_timestamp()", {})
    wanted = Job.objects.filter(
        selection.condition(), status__in=statuses, created_at__lte=moment
    ).order_by("id")
    changed, last = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            locked = wanted.select_for_update(skip_locked=True, no_key=True)
            jobs = list(locked.filter(id__gt=last)[:BATCH])
            if not jobs:
                return changed
            changed += change(jobs)
        last = jobs[-1].id


def _retry(ids: list[UUID], actor: str) -> list[UUID]:
    """Those of these that were FAILED or CANCELLED, and are QUEUED now, or THROTTLED."""
    rows = fetch(_RETRY, {"ids": ids, "actor": actor})
    priorities = {priority for _, priority in rows}
    if priorities:
        transaction.on_commit(lambda: announce(*priorities), robust=True)
        release()
    return [job_id for job_id, _ in rows]


def _replay(jobs: list[Job], actor: str, **changes: Any) -> list[UUID]:
    """New jobs like these, which are locked; in order."""
    # All of them first: an estimate may ask the database, which a COPY under way does not answer.
    ids = submit_many([like(job, **changes) for job in jobs])
    JobEvent.objects.bulk_create(
        JobEvent(job=job, kind="replayed", actor=actor, detail={"job": str(new_id)})
        for job, new_id in zip(jobs, ids, strict=True)
    )
    return ids
