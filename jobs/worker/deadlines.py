"""The time limits of running attempts: told to stop at the soft one, taken away at the hard one."""

import time
from collections.abc import Callable

import structlog

from jobs.outcomes import Cancel, Outcome
from jobs.queue.finish import Finished, finish
from jobs.worker.execution import Execution
from jobs.worker.executor import timed_out, under_policy
from jobs.worker.leases import Leases

log = structlog.get_logger(__name__)

# Runs an operation of the queue, however long the database is away.
Patiently = Callable[[Callable[[], set[int]]], set[int]]


class Deadlines:
    """Keeps the attempts of a process within their limits. For the heartbeat thread.

    replace: called with an execution that was taken from its thread, which does not come back.
    """

    def __init__(
        self, leases: Leases, patiently: Patiently, replace: Callable[[Execution], None]
    ) -> None:
        self._leases = leases
        self._patiently = patiently
        self._replace = replace

    def keep(self) -> None:
        """Look at every running attempt once."""
        now = time.monotonic()
        for execution in self._leases.under_way():
            if execution.begun_at is None or execution.processor is None:
                continue
            soft, hard = execution.time_limits()
            lasted = now - execution.begun_at
            if lasted >= hard:
                self._take(execution)
            elif lasted >= soft and not execution.timed_out:
                _log("job.timed_out", execution, limit="soft")
                execution.time_out()

    def _take(self, execution: Execution) -> None:
        """The thread may never come back: what it had is settled without it, and it is replaced."""
        if not self._leases.take(execution):
            return
        _log("job.timed_out", execution, limit="hard")
        finished = [Finished(execution.attempt, _outcome(execution))]
        self._patiently(lambda: finish(finished))
        self._replace(execution)


def _outcome(execution: Execution) -> Outcome:
    if execution.cancelled:
        return Cancel()
    assert execution.processor is not None  # noqa: S101 - what has begun has one
    return under_policy(timed_out(execution), execution.processor)


def _log(event: str, execution: Execution, **details: str) -> None:
    attempt = execution.attempt
    log.warning(event, job_id=str(attempt.job_id), attempt=attempt.number, **details)
