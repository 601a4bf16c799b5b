"""For the tests of those who write or use job types; docs/processors.md shows both.

`run` runs one processor without queue and database. `work_off` works off the queue in the test's
own thread.
"""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from jobs.attempt import Attempt
from jobs.models import Job, new_id
from jobs.outcomes import Outcome
from jobs.priorities import DEFAULT, HIGHEST, LOWEST
from jobs.processors.checks import validate
from jobs.processors.declaration import Processor
from jobs.processors.registry import processors
from jobs.queue.checkpoint import NOTHING, Checkpoint
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished, finish
from jobs.queue.limits import release
from jobs.queue.progress import report_progress
from jobs.queue.promote import promote
from jobs.queue.step import step
from jobs.states import Status
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution
from jobs.worker.executor import execute
from jobs.worker.patience import Patience
from jobs.worker.settlement import clean_up

LEASE_SECONDS = 3600.0


class _Memory(Checkpoints):
    """What attempts save, kept here."""

    def __init__(self) -> None:
        self.kept = NOTHING

    def load(self, attempt: Attempt) -> Checkpoint:
        """What was saved last."""
        return self.kept

    def save(self, attempt: Attempt, kept: Checkpoint) -> None:
        """Keep it."""
        self.kept = kept


class RecordingContext(Execution):
    """The Context of the attempts at one job: it tells what the processor did, and stops it.

    reports: progress and message of every report. waits: how long it wanted to sleep; it never
    does. stop_at, cancel_at, time_out_at: the worker shuts down, somebody cancels the job, the soft
    time limit is over, as soon as so much progress is reported; 0: from the beginning.
    """

    __slots__ = ("_memory", "cancel_at", "reports", "stop_at", "time_out_at", "waits")

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
        self._memory = _Memory()
        self._begin(Attempt(str(new_id()), 0, 0, 1, "", "", "", DEFAULT, {}))

    @property
    def state(self) -> dict[str, Any] | None:
        """What `save` was given last."""
        return self._memory.kept.state

    @property
    def steps(self) -> dict[str, Any]:
        """The results of the steps that are done."""
        return self._memory.kept.steps

    def next_attempt(self, processor: Processor, **values: Any) -> None:
        """Begin the next attempt at the job. `run` calls it."""
        number = self.attempt.number + 1
        self._begin(
            self.attempt._replace(
                lease=number,
                number=number,
                max_attempts=processor.retry_policy.max_attempts,
                job_type=processor.job_type,
                **values,
            )
        )

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep it; stop where that was to be."""
        self.reports.append((progress, message))
        self._stop_at(progress or 0.0)

    def wait(self, seconds: float) -> bool:
        """Keep how long, and go on at once."""
        self.waits.append(seconds)
        return self.stopped()

    def _begin(self, attempt: Attempt) -> None:
        now = time.monotonic()
        super().__init__(attempt, now, threading.current_thread(), self._memory)
        self.begun_at = now
        self._stop_at(0.0)

    def _stop_at(self, progress: float) -> None:
        for at, stop in (
            (self.stop_at, self.stop),
            (self.cancel_at, self.cancel),
            (self.time_out_at, self.time_out),
        ):
            if at is not None and progress >= at:
                stop()


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
    context.next_attempt(
        processor,
        source_file=source,
        target_format=target,
        priority=processor.priority if priority is None else priority,
        parameters=json.loads(json.dumps(values)),
    )
    return execute(context, {processor.job_type: processor}, quiet=True)


def work_off(*, early: bool = False, most: int = 1000) -> list[Job]:
    """Work off the queue, one job after the other, as pools that serve everything would.

    early: also jobs whose time has not come: scheduled ones, and those that wait to be retried.
    Returns the jobs as they stand afterwards, in the order of their last attempts.

    Raises AssertionError after `most` attempts: something puts itself back again and again.
    """
    worked: list[Attempt] = []
    demand = Demand(LOWEST, HIGHEST, "jobs.testing", LEASE_SECONDS)
    for _ in range(most):
        if early:
            Job.objects.filter(status=Status.PENDING).update(scheduled_at=Now())
        promote()
        release()
        claimed = step([], demand, 1).claimed
        if not claimed:
            last = dict.fromkeys(attempt.job_id for attempt in reversed(worked))
            jobs = Job.objects.in_bulk(last)
            return [jobs[job_id] for job_id in reversed(last)]
        [attempt] = claimed
        worked.append(attempt)
        _work(attempt)
    raise AssertionError(f"the queue is not empty after {most} attempts")


def _work(attempt: Attempt) -> None:
    """Run it and settle it, as a worker's thread and its heartbeat do."""
    now = time.monotonic()
    checkpoints = Checkpoints(Patience())
    execution = Execution(attempt, now, threading.current_thread(), checkpoints)
    execution.begun_at = now
    finished = [Finished(attempt, execute(execution, processors(), quiet=True))]
    if (progress := execution.take_progress()) is not None:
        report_progress([progress])
    lost = finish(finished)
    checkpoints.settled(finished, lost)
    clean_up(finished, lost)
