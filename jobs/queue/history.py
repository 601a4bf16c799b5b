"""What happened to a job: its attempts, and everything in the order in which it happened.

The rows keep what a job's own row does not tell (jobs/models/history.py); here both are put
together. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.models import Job, JobAttempt, JobEvent
from jobs.queue.history_part import ALL, Kind, Part, place_of
from jobs.queue.lives import RETRIED, Life, decided, lives_of
from jobs.states import Status

# Of the attempt that the job's own row tells of.
_NEWEST = 2**55 - 1


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


@dataclass(frozen=True, slots=True)
class Told:
    """An event. place: no other of the job has it, and it grows with time. begun: the attempt whose
    beginning it is."""

    place: int
    event: Event
    begun: AttemptRecord | None = None


def attempts(job: Job, *, tracebacks: bool = False) -> list[AttemptRecord]:
    """Every attempt, oldest first. Tracebacks are for operators: owners do not see them."""
    rows = JobAttempt.objects.filter(job=job).order_by("started_at", "id")
    told = [_recorded(row, tracebacks) for row in (rows if tracebacks else rows.defer("traceback"))]
    return [*told, *_of_row(job)]


def events(job: Job) -> list[Event]:
    """Everything that is known, oldest first."""
    return [one.event for one in history(job, ALL)]


def history(job: Job, part: Part) -> list[Told]:
    """A part of what is known; it costs the same, however long the whole is.

    Kinds: created, scheduled, queued, attempt_started, attempt_ended, completed, failed, cancelled,
    and what people asked for: cancel_requested, retried, replayed. Of being scheduled and queued
    only the newest time is known, and that before each time that somebody retried the job.
    """
    asked = JobEvent.objects.filter(job=job)
    rows = {row.id: row for row in part.rows(asked, "at")}
    # Each tells of what was long before it.
    rows |= {row.id: row for row in part.rows(asked.filter(kind=RETRIED), "at")}
    tried = part.rows(JobAttempt.objects.filter(job=job).defer("traceback"), "ended_at")
    lives = list(lives_of(job, rows.values()))
    found = [
        Told(place_of(job.created_at, Kind.CREATED), _created(job)),
        *(told for row in tried for told in _of_attempt(row.id, _recorded(row))),
        *(told for own in _of_row(job) for told in _of_attempt(_NEWEST, own)),
        *(Told(place_of(row.at, Kind.ASKED, row.id), _asked(row)) for row in rows.values()),
        *(told for life in lives for told in _of_life(life)),
        *(_scheduled(*moments) for moments in decided(job, lives)),
    ]
    # A job that waits for its turn again was queued once, in two lives.
    by_place = {told.place: told for told in found}
    return [by_place[place] for place in part.cut(by_place)]


def _recorded(row: JobAttempt, tracebacks: bool = False) -> AttemptRecord:
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


def _of_row(job: Job) -> Iterator[AttemptRecord]:
    """The attempt that the job's own row tells of: under way, or the one that completed it."""
    outcomes = {Status.IN_PROGRESS: "running", Status.COMPLETED: "completed"}
    outcome = outcomes.get(Status(job.status))
    begun = job.started_at
    if outcome is not None and begun is not None:
        # It may have ended since the job's row was read.
        lately = JobAttempt.objects.filter(job=job, ended_at__gte=begun)
        if not lately.filter(started_at=begun).exists():
            yield AttemptRecord(job.attempt, job.worker, begun, job.completed_at, outcome)


def _created(job: Job) -> Event:
    origin = {} if job.replay_of is None else {"replay_of": str(job.replay_of)}
    return Event(job.created_at, "created", detail=origin)


def _asked(row: JobEvent) -> Event:
    """What somebody asked for. What a retry keeps of the job before is told by itself."""
    return Event(row.at, row.kind, row.actor, {} if row.kind == RETRIED else row.detail)


def _of_attempt(row: int, one: AttemptRecord) -> Iterator[Told]:
    who = {"number": one.number, "worker": one.worker}
    yield Told(
        place_of(one.started_at, Kind.ATTEMPT, 2 * row),
        Event(one.started_at, "attempt_started", detail=who),
        one,
    )
    if one.ended_at is not None:
        yield Told(
            place_of(one.ended_at, Kind.ATTEMPT, 2 * row + 1),
            Event(
                one.ended_at,
                "attempt_ended",
                detail={**who, "outcome": one.outcome, **_error(one)},
            ),
        )


def _error(one: AttemptRecord) -> dict[str, Any]:
    error = {"error_code": one.error_code, "error_message": one.error_message}
    return {name: text for name, text in error.items() if text}


def _of_life(life: Life) -> Iterator[Told]:
    if (end := life.ended_at()) is not None:
        event = Event(end, life.status.lower(), detail=life.error())
        yield Told(place_of(end, Kind.ENDED), event)
    if life.queued_at is not None:
        yield Told(place_of(life.queued_at, Kind.QUEUED), Event(life.queued_at, "queued"))


def _scheduled(at: datetime, due: datetime) -> Told:
    event = Event(at, "scheduled", detail={"scheduled_at": due.isoformat()})
    return Told(place_of(at, Kind.SCHEDULED), event)
