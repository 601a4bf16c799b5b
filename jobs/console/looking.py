"""Look at jobs: a list, one job with all that happened to it, the reasons of failures."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils import timezone

from jobs.console.cells import age, lines, moment, pairs, percent, seconds
from jobs.console.output import Column, Output, plain
from jobs.models import Job
from jobs.queue.dead_letter import reasons
from jobs.queue.errors import NoSuchJob
from jobs.queue.history import attempts, events
from jobs.queue.progress import seconds_left
from jobs.queue.selection import Selection
from jobs.states import Status

ID = Column("id", whole=True)

# The first ones fit on 80 columns.
LISTED = (
    ID,
    Column("status"),
    Column("job_type", title="type"),
    Column("priority", title="pri"),
    Column("progress", percent, title="done"),
    Column("created_at", age, title="age"),
    *plain("name", "error_code", "attempt", "worker"),
)
LISTED_LEAST = 6

SHOWN = (
    *plain("id", "name", "job_type", "source_file", "target_format"),
    Column("parameters", pairs),
    *plain("priority", "status", "cancel_requested"),
    Column("progress", percent),
    Column("progress_message"),
    Column("seconds_left", seconds, title="time left"),
    *plain("attempt", "max_attempts", "lost_leases", "worker"),
    Column("created_at", moment),
    Column("scheduled_at", moment),
    Column("queued_at", moment),
    Column("started_at", moment),
    Column("completed_at", moment),
    Column("expires_at", moment),
    Column("estimated_seconds", seconds, title="estimated"),
    Column("result", pairs),
    Column("error_code"),
    Column("error_message", lines),
    Column("replay_of"),
)
COMPUTED = ("seconds_left",)
ATTEMPTS = (
    Column("number", title="no"),
    *plain("outcome", "started_at"),
    Column("took", seconds),
    *plain("worker", "error_code"),
)
EVENTS = (Column("at"), Column("kind", title="event"), Column("detail", pairs))
REASONS = (
    Column("jobs"),
    Column("job_type", title="type"),
    Column("error_code"),
    Column("newest_at", age, title="newest"),
    Column("example"),
)


def show_list(output: Output, selection: Selection, limit: int) -> None:
    """The newest jobs of a selection."""
    found = Job.objects.filter(selection.condition()).order_by("-id")[:limit]
    rows = [{column.key: getattr(job, column.key) for column in LISTED} for job in found]
    output.rows(LISTED, rows, least=LISTED_LEAST)


def show_job(output: Output, job_id: UUID) -> None:
    """One job with its history, tracebacks too. Raises NoSuchJob."""
    job = Job.objects.filter(id=job_id).first()
    if job is None:
        raise NoSuchJob(job_id)
    shown: dict[str, Any] = {
        column.key: getattr(job, column.key) for column in SHOWN if column.key not in COMPUTED
    }
    running = job.status == Status.IN_PROGRESS
    shown["seconds_left"] = (
        seconds_left(job.started_at, job.progress, timezone.now()) if running else None
    )
    tried = [asdict(one) for one in attempts(job, tracebacks=True)]
    happened = [asdict(one) for one in events(job)]
    if output.as_json:
        output.document({**shown, "attempts": tried, "events": happened})
        return
    output.fields(SHOWN, {**shown, "cancel_requested": job.cancel_requested or None})
    _attempts(output, tried)
    output.heading("Events")
    output.rows(EVENTS, [_event(event) for event in happened])


def _attempts(output: Output, tried: Iterable[Mapping[str, Any]]) -> None:
    """A table, and below it what each attempt said when it ended."""
    output.heading("Attempts")
    output.rows(ATTEMPTS, [{**one, "took": _took(one)} for one in tried])
    for one in tried:
        if one["error_message"] or one["traceback"]:
            output.heading(f"Attempt {one['number']} ({one['outcome']})")
            output.said("\n".join(filter(None, (one["error_message"], one["traceback"]))))


def _took(one: Mapping[str, Any]) -> float | None:
    ended = one["ended_at"]
    return None if ended is None else (ended - one["started_at"]).total_seconds()


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """With who asked for it; what an attempt said stands above."""
    detail = {name: one for name, one in event["detail"].items() if name != "error_message"}
    return {**event, "detail": {"by": event["actor"], **detail}}


def show_reasons(output: Output, selection: Selection) -> None:
    """Why jobs FAILED, the most frequent first."""
    output.rows(REASONS, [asdict(reason) for reason in reasons(selection)])
