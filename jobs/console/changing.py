"""Change jobs and workers: through the queue's own functions, like the API."""

import getpass
from collections.abc import Callable
from uuid import UUID

from jobs.console.output import Output
from jobs.queue import cancel as cancelling
from jobs.queue import dead_letter, pause
from jobs.queue.errors import QueueError
from jobs.queue.selection import Selection


class NoSuchWorker(Exception):
    """No worker process has this name."""


def actor() -> str:
    """Who did it, for the history."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user need not have a name
        return "command line"


def change_each(output: Output, ids: list[UUID], what: str) -> bool:
    """Retry, replay or cancel each of these jobs; one that refuses does not stop the others.
    Whether all did."""
    results = []
    for job_id in ids:
        try:
            _CHANGES[what](job_id, actor=actor())
        except QueueError as refusal:
            results.append({"id": str(job_id), "done": False, "detail": str(refusal)})
        else:
            results.append({"id": str(job_id), "done": True, "detail": _DONE[what]})
    output.rows(("id", "detail"), results)
    return all(result["done"] for result in results)


def change_selected(output: Output, selection: Selection, what: str) -> None:
    """Retry, replay or cancel those of a selection that can be."""
    changed = _BULK_CHANGES[what](selection, actor=actor())
    output.said(f"{changed} jobs: {_DONE[what]}.", action=what, jobs=changed)


_CHANGES: dict[str, Callable[..., object]] = {
    "retry": dead_letter.retry,
    "replay": dead_letter.replay,
    "cancel": cancelling.cancel,
}
_BULK_CHANGES: dict[str, Callable[..., int]] = {
    "retry": dead_letter.retry_where,
    "replay": dead_letter.replay_where,
    "cancel": cancelling.cancel_where,
}
_DONE = {
    "retry": "queued again",
    "replay": "submitted anew",
    "cancel": "cancelled, or told to stop",
}


def pause_pool(output: Output, pool: str, reason: str) -> None:
    """The pool claims nothing until it is resumed. Raises NoSuchPool."""
    pause.pause(pool, actor=actor(), reason=reason)
    output.said(f"Pool {pool} is paused; what runs goes on to its end.", pool=pool, paused=True)


def resume_pool(output: Output, pool: str) -> None:
    """The pool claims again, if POOLS names it or did once."""
    was = pause.resume(pool)
    said = "is served again" if was else "was not paused"
    output.said(f"Pool {pool} {said}.", pool=pool, paused=False)


def drain_worker(output: Output, name: str) -> None:
    """The process finishes what it has and ends. Raises NoSuchWorker."""
    if not pause.drain(name):
        raise NoSuchWorker(f"There is no worker {name!r}; see `jobs workers`.")
    output.said(f"Worker {name} drains and ends.", worker=name, draining=True)
