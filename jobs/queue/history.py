"""What happened to a job: its attempts, and everything in the order in which it happened.

The rows keep what a job's own row does not tell (jobs/models/history.py); here both are put
together. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.models import Job, JobAttempt, JobEvent
from jobs.states import FINAL, Status


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt at a job.

    number: an attempt that cost nothing shares its number with the next. outcome: completed, retry,
    snoozed, failed, cancelled, interrupted, lost, or running. error_message: of a snooze or a
    cancellation its reason. traceback: empty unless it was asked for.
    """

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    error_code: str = ""
    error_message: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job. actor: who asked for it, where somebody did."""

    at: datetime
    kind: str
    actor: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def attempts(job: Job, *, tracebacks: bool = False) -> list[AttemptRecord]:
    """Every attempt, oldest first. Tracebacks are for operators: owners do not see them."""
    rows = JobAttempt.objects.filter(job=job).order_by("started_at", "id")
    told = [_recorded(row, tracebacks) for row in (rows if tracebacks else rows.defer("traceback"))]
    own = _of_row(job)
    # The attempt may have ended since the job's row was read.
    if own is not None and all(one.started_at != own.started_at for one in told):
        told.append(own)
    return told


def events(job: Job) -> list[Event]:
    """Everything that is known, oldest first: created, scheduled, queued, attempt_started,
    attempt_ended, completed, failed, cancelled, and what people asked for: cancel_requested,
    retried, replayed. Of being scheduled and queued only the newest time is known, and that before
    each time that somebody retried the job."""
    tried = attempts(job)
    asked = list(JobEvent.objects.filter(job=job).order_by("id"))
    lives = [*_before(asked), _now(job)]
    # What has the same time stays in the order in which it is listed here.
    found = [
        Event(job.created_at, "created", detail=_origin(job)),
        *(event for one in tried for event in _attempt_events(one)),
        *(_asked(row) for row in asked),
        *(event for life in lives for event in _ended(life)),
        *(event for life in lives for event in _scheduled(life, job.created_at, tried)),
        *(Event(at, "queued") for at in {life.queued_at for life in lives} if at is not None),
    ]
    return sorted(found, key=lambda event: event.at)


def _recorded(row: JobAttempt, tracebacks: bool) -> AttemptRecord:
    return AttemptRecord(
        number=row.number,
        worker=row.worker,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        error_code=row.error_code,
        error_message=row.error_message,
        traceback=row.traceback if tracebacks else "",
    )


def _of_row(job: Job) -> AttemptRecord | None:
    """The attempt that the job's own row tells of: under way, or the one that completed it."""
    outcomes = {Status.IN_PROGRESS: "running", Status.COMPLETED: "completed"}
    outcome = outcomes.get(Status(job.status))
    if outcome is None or job.started_at is None:
        return None
    return AttemptRecord(job.attempt, job.worker, job.started_at, job.completed_at, outcome)


def _origin(job: Job) -> dict[str, Any]:
    return {} if job.replay_of is None else {"replay_of": str(job.replay_of)}


@dataclass(frozen=True, slots=True)
class _Life:
    """What a job's row tells, now or before somebody retried it."""

    status: str
    scheduled_at: datetime | None
    queued_at: datetime | None
    completed_at: datetime | None
    error_code: str
    error_message: str


def _now(job: Job) -> _Life:
    return _Life(
        job.status,
        job.scheduled_at,
        job.queued_at,
        job.completed_at,
        job.error_code,
        job.error_message,
    )


def _before(asked: list[JobEvent]) -> Iterator[_Life]:
    for row in asked:
        if row.kind == "retried":
            yield _Life(
                row.detail["status"],
                _moment(row.detail, "scheduled_at"),
                _moment(row.detail, "queued_at"),
                _moment(row.detail, "completed_at"),
                row.detail["error_code"],
                row.detail["error_message"],
            )


def _moment(detail: dict[str, Any], name: str) -> datetime | None:
    return None if detail.get(name) is None else datetime.fromisoformat(detail[name])


def _scheduled(life: _Life, created_at: datetime, tried: list[AttemptRecord]) -> Iterator[Event]:
    """`scheduled_at` is the time that was asked for, or that of the newest retry or snooze."""
    if life.scheduled_at is None:
        return
    decided = [created_at]
    decided += [
        one.ended_at for one in tried if one.outcome in ("retry", "snoozed") and one.ended_at
    ]
    at = max(moment for moment in decided if moment <= max(life.scheduled_at, created_at))
    if life.scheduled_at > at:
        yield Event(at, "scheduled", detail={"scheduled_at": life.scheduled_at.isoformat()})


def _asked(row: JobEvent) -> Event:
    """What somebody asked for. What a retry keeps of the job before is told by itself."""
    return Event(row.at, row.kind, row.actor, {} if row.kind == "retried" else row.detail)


def _attempt_events(one: AttemptRecord) -> Iterator[Event]:
    yield Event(
        one.started_at, "attempt_started", detail={"number": one.number, "worker": one.worker}
    )
    if one.ended_at is not None:
        ended = {"number": one.number, "worker": one.worker, "outcome": one.outcome}
        yield Event(one.ended_at, "attempt_ended", detail=ended | _error(one))


def _error(one: AttemptRecord) -> dict[str, Any]:
    error = {"error_code": one.error_code, "error_message": one.error_message}
    return {name: text for name, text in error.items() if text}


def _ended(life: _Life) -> Iterator[Event]:
    if life.status in FINAL and life.completed_at is not None:
        error = {"error_code": life.error_code, "error_message": life.error_message}
        failed = life.status == Status.FAILED
        yield Event(life.completed_at, life.status.lower(), detail=error if failed else {})
