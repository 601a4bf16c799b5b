"""The states of a job and the legal ways between them: the only place that says so.

The SQL in `jobs/queue/` moves rows along these edges; `docs/state-machine.md` draws them.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a job stands. The values are what the database and the API show."""

    PENDING = "PENDING"  # created; waits for its time, or backs off before a retry
    THROTTLED = "THROTTLED"  # its owner is at a limit
    QUEUED = "QUEUED"  # a worker may claim it
    IN_PROGRESS = "IN_PROGRESS"  # leased by a worker
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.QUEUED, Status.THROTTLED, Status.FAILED, Status.CANCELLED}),
    Status.THROTTLED: frozenset({Status.QUEUED, Status.FAILED, Status.CANCELLED}),
    Status.QUEUED: frozenset({Status.IN_PROGRESS, Status.FAILED, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset(
        {
            Status.COMPLETED,
            Status.FAILED,
            Status.CANCELLED,
            Status.PENDING,  # retry after a failed attempt
            Status.QUEUED,  # handed back by its worker, or rescued from a dead one
        }
    ),
    Status.COMPLETED: frozenset(),
    # Only when somebody asks to try the job again.
    Status.FAILED: frozenset({Status.QUEUED, Status.THROTTLED}),
    Status.CANCELLED: frozenset({Status.QUEUED, Status.THROTTLED}),
}

FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
