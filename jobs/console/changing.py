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


def change_each(
    output: Output, ids: list[UUID], what: str, change: Callable[[UUID], object]
) -> bool:
    """Do it to each of these jobs; one that refuses does not stop the others. Whether all did."""
    results = []
    for job_id in ids:
        try:
            change(job_id)
        except QueueError as refusal:
            results.append({"id": str(job_id), "done": False, "detail": str(refusal)})
        else:
            results.append({"id": str(job_id), "done": True, "detail": what})
    output.rows(("id", "detail"), results)
    return all(result["done"] for result in results)


CHANGES: dict[str, Callable[[UUID], object]] = {
    "retry": lambda job_id: dead_letter.retry(job_id, actor=actor()),
    "replay": lambda job_id: dead_letter.replay(job_id, actor=actor()),
    "cancel": lambda job_id: cancelling.cancel(job_id, actor=actor()),
}
BULK_CHANGES: dict[str, Callable[[Selection], int]] = {
    "retry": lambda selection: dead_letter.retry_where(selection, actor=actor()),
    "replay": lambda selection: dead_letter.replay_where(selection, actor=actor()),
    "cancel": lambda selection: cancelling.cancel_where(selection, actor=actor()),
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
