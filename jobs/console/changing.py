"""Change jobs: through the queue's own functions, like the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobs.console.actor import actor
from jobs.console.looking import ID
from jobs.console.output import Column, Output
from jobs.console.refusals import Refused
from jobs.queue import cancel as cancelling
from jobs.queue import dead_letter
from jobs.queue.errors import AlreadyFinal, NotFinal, NotRetriable, QueueError, WrongStatus
from jobs.queue.selection import Selection
from jobs.states import Status

RESULTS = (ID, Column("detail", title="result"))


@dataclass(frozen=True, slots=True)
class Change:
    """What can be done to jobs. one: to a job; what the answer tells of it. many: to those of a
    selection that allow it. done: what was done. refusal: why to none of them."""

    one: Callable[[UUID], dict[str, Any]]
    many: Callable[..., int]
    done: str
    refusal: type[WrongStatus]


def _retry(job_id: UUID) -> dict[str, Any]:
    status = dead_letter.retry(job_id, actor=actor()).status
    return {"status": status, "detail": f"{status} again"}


def _replay(job_id: UUID) -> dict[str, Any]:
    new = dead_letter.replay(job_id, actor=actor())
    return {"status": new.status, "new_id": str(new.id), "detail": f"new: {new.id}"}


def _cancel(job_id: UUID) -> dict[str, Any]:
    status = cancelling.cancel(job_id, actor=actor())
    told = "running, and told to stop" if status == Status.IN_PROGRESS else status
    return {"status": status, "detail": told}


CHANGES = {
    "retry": Change(_retry, dead_letter.retry_where, "queued again", NotRetriable),
    "replay": Change(_replay, dead_letter.replay_where, "submitted anew", NotFinal),
    "cancel": Change(_cancel, cancelling.cancel_where, "cancelled, or told to stop", AlreadyFinal),
}


def change_each(output: Output, ids: Sequence[UUID], action: str) -> None:
    """Retry, replay or cancel each of these jobs; one that refuses does not stop the others.

    Raises Refused at the end when one did.
    """
    results = [_result(job_id, CHANGES[action]) for job_id in ids]
    output.rows(RESULTS, results)
    refused = sum(not result["done"] for result in results)
    if refused:
        raise Refused(f"{action}: refused for {refused} of {_jobs(len(results))}, see above.")


def _result(job_id: UUID, change: Change) -> dict[str, Any]:
    try:
        return {"id": str(job_id), "done": True, **change.one(job_id)}
    except QueueError as refusal:
        return {"id": str(job_id), "done": False, "detail": str(refusal)}


def change_selected(output: Output, selection: Selection, action: str) -> None:
    """Retry, replay or cancel those of a selection that allow it."""
    change = CHANGES[action]
    changed = change.many(selection, actor=actor())
    said = f"{_jobs(changed)}: {change.done}." if changed else f"No job: {change.refusal.needs}."
    output.said(said, action=action, jobs=changed)


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"
