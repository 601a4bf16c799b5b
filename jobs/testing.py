"""For the tests of those who write or use job types; docs/processors.md shows both.

`run` runs one processor without queue and database. `work_off` works off the queue in the test's
own thread.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from django.db.models.functions import Now

from jobs.attempt import Attempt
from jobs.models import Job, new_id
from jobs.outcomes import Outcome
from jobs.priorities import HIGHEST, LOWEST
from jobs.processors.checks import validate
from jobs.processors.declaration import Processor
from jobs.processors.registry import processors
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished, finish
from jobs.queue.progress import report_progress
from jobs.queue.promote import promote
from jobs.queue.step import step
from jobs.states import Status
from jobs.worker.executor import execute
from jobs.worker.leases import Execution
from jobs.worker.settlement import clean_up

LEASE_SECONDS = 3600.0


class RecordingContext:
    """The Context of the attempts at one job, in memory: it tells what the processor did.

    reports: progress and message of every report. waits: how long it wanted to sleep; it never
    does. state, steps: what was saved; set them to begin as a later attempt does. stop_at,
    cancel_at, time_out_at: the worker shuts down, somebody cancels the job, the soft time limit is
    over, as soon as so much progress is reported; 0: from the beginning.
    """

    attempt: Attempt

    def __init__(
        self,
        *,
        stop_at: float | None = None,
        cancel_at: float | None = None,
        time_out_at: float | None = None,
    ) -> None:
        self.stop_at = stop_at
        self.cancel_at = cancel_at
        self.time_out_at = time_out_at
        self.reports: list[tuple[float | None, str]] = []
        self.waits: list[float] = []
        self.state: dict[str, Any] | None = None
        self.steps: dict[str, Any] = {}
        self.attempts = 0
        self._job_id = str(new_id())

    def begin(self, processor: Processor, **values: Any) -> None:
        """The next attempt begins. `run` calls it."""
        self.attempts += 1
        self.attempt = Attempt(
            id=self._job_id,
            lease=self.attempts,
            number=self.attempts,
            max_attempts=processor.retry_policy.max_attempts,
            job_type=processor.job_type,
            **values,
        )

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep it."""
        self.reports.append((progress, message))

    @property
    def cancelled(self) -> bool:
        """Whether `cancel_at` is reached."""
        return self._reached(self.cancel_at)

    @property
    def timed_out(self) -> bool:
        """Whether `time_out_at` is reached."""
        return self._reached(self.time_out_at)

    def stopped(self) -> bool:
        """Whether any of the three is reached."""
        return self._reached(self.stop_at) or self.cancelled or self.timed_out

    def seconds_left(self) -> float:
        """Enough, until the time is over."""
        return 0.0 if self.timed_out else LEASE_SECONDS

    def wait(self, seconds: float) -> bool:
        """Keep how long, and go on at once."""
        self.waits.append(seconds)
        return self.stopped()

    def checkpoint(self) -> dict[str, Any] | None:
        """What was saved last."""
        return self.state

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep it as JSON does."""
        self.state = _as_json(dict(state))

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """Call the function unless an attempt before has."""
        if name not in self.steps:
            self.steps[name] = _as_json(function())
        return self.steps[name]

    def _reached(self, at: float | None) -> bool:
        progress = [progress for progress, _ in self.reports if progress is not None]
        return at is not None and max(progress, default=0.0) >= at


def run(
    processor: Processor,
    *,
    parameters: Mapping[str, Any] | None = None,
    source: str = "",
    target: str = "",
    priority: int | None = None,
    context: RecordingContext | None = None,
) -> Outcome:
    """What one attempt comes to, as a worker sees it: an exception is what the retry policy makes
    of it, and its traceback is logged.

    source: the name of a file in the media store. target: the target format. context: tells what
    happened meanwhile; given again, this is the next attempt at the same job.

    Raises Invalid where no job could be made from these values. No time passes in
    `context.wait()`.
    """
    values = dict(parameters or {})
    validate(processor, source, target, values)
    context = context or RecordingContext()
    context.begin(
        processor,
        source_file=source,
        target_format=target,
        priority=processor.priority if priority is None else priority,
        parameters=json.loads(json.dumps(values)),
    )
    # An Execution by all that a processor can see of it.
    return execute(cast("Execution", context), {processor.job_type: processor}, quiet=True)


def work_off(*, early: bool = False, most: int = 1000) -> list[Job]:
    """Work off the queue, one job after the other, as pools that serve everything would.

    early: also jobs whose time has not come: scheduled ones, and those that wait to be retried.
    Returns the jobs as they stand afterwards, in the order of their last attempts.

    Raises AssertionError after `most` attempts: something puts itself back again and again.
    """
    worked: list[UUID] = []
    demand = Demand(LOWEST, HIGHEST, "jobs.testing", LEASE_SECONDS)
    for _ in range(most):
        if early:
            Job.objects.filter(status=Status.PENDING).update(scheduled_at=Now())
        promote()
        claimed = step([], demand, 1).claimed
        if not claimed:
            jobs = Job.objects.in_bulk(worked)
            return [jobs[job_id] for job_id in reversed(dict.fromkeys(reversed(worked)))]
        [attempt] = claimed
        worked.append(attempt.job_id)
        _work(attempt)
    raise AssertionError(f"the queue is not empty after {most} attempts")


def _work(attempt: Attempt) -> None:
    """Run it and settle it, as a worker's thread and its heartbeat do."""
    execution = Execution(attempt, time.monotonic())
    finished = [Finished(attempt, execute(execution, processors(), quiet=True))]
    if (progress := execution.take_progress()) is not None:
        report_progress([progress])
    clean_up(finished, finish(finished))


def _as_json(value: Any) -> Any:
    """As it comes back from the database. Raises ValueError for what is not JSON."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except TypeError as error:
        raise ValueError(str(error)) from None
