"""Random lives of jobs, driven by several workers over connections of their own.

A model in memory says what every row must be after each step; the database must agree.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from jobs.attempt import Attempt
from jobs.models import Job, JobAttempt, JobEvent, JobMetrics
from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.errors import AlreadyFinal, NotFinal, NotRetriable
from jobs.queue.expire import expire
from jobs.queue.finish import finish
from jobs.queue.lease import heartbeat
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.queue.submit import NewJob, submit
from jobs.states import FINAL, TRANSITIONS, Status
from tests.rows import DONE, claim, finished

WORKERS = 3
MOST_LOST_LEASES = 3
WAITING = {Status.PENDING, Status.QUEUED}
OUTCOMES: dict[str, Outcome] = {
    "completed": DONE,
    "retry": Retry("again"),
    "retry after": Retry("again", after=60.0),
    "snooze": Snooze(60.0),
    "failed": Failed("never"),
    "cancel": Cancel("not wanted"),
    "interrupted": Interrupted(),
    "not begun": Interrupted(started=False),
}


@dataclass
class Expected:
    """What a row must be."""

    status: Status
    priority: int
    max_attempts: int
    attempt: int = 0
    lost: int = 0
    lease: int | None = None
    dead: bool = False
    started: bool = False
    cancel_requested: bool = False
    history: list[str] = field(default_factory=list)

    def end(self, status: Status, *, attempt: int | None = None) -> None:
        self.status = status
        self.dead = False
        if attempt is not None:
            self.attempt = attempt


class Connection:
    """A thread with a database connection of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)

    def run(self, do: Callable[[], Any]) -> Any:
        return self._thread.submit(do).result(timeout=60)

    def close(self) -> None:
        self.run(lambda: connection.close())  # noqa: PLW0108 - in its own thread
        self._thread.shutdown()


class WholeLife(RuleBasedStateMachine):
    """Submits, claims, ends, kills, rescues, cancels, retries ... in any order."""

    ids: Bundle[UUID] = Bundle("ids")
    attempts: Bundle[Attempt] = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        for model in (JobAttempt, JobEvent, JobMetrics, Job):
            model.objects.all().delete()
        self.expected: dict[UUID, Expected] = {}
        self.before: dict[UUID, Status] = {}
        self.workers = [Connection() for _ in range(WORKERS)]

    def teardown(self) -> None:
        for worker in self.workers:
            worker.close()

    def by(self, worker: int, do: Callable[[], Any]) -> Any:
        return self.workers[worker].run(do)

    # What clients do.

    @rule(
        target=ids,
        worker=st.integers(0, WORKERS - 1),
        priority=st.integers(0, 10),
        max_attempts=st.integers(1, 3),
        later=st.booleans(),
    )
    def submit(self, worker: int, priority: int, max_attempts: int, later: bool) -> UUID:
        at = timezone.now() + timedelta(hours=1) if later else None
        new = NewJob("noop", priority=priority, max_attempts=max_attempts, scheduled_at=at)
        job: Job = self.by(worker, lambda: submit(new))
        status = Status.PENDING if later else Status.QUEUED
        self.expected[job.id] = Expected(status, priority, max_attempts)
        return job.id

    @rule(worker=st.integers(0, WORKERS - 1), job_id=ids)
    def cancel(self, worker: int, job_id: UUID) -> None:
        job = self.expected[job_id]
        if job.status in FINAL:
            with pytest.raises(AlreadyFinal):
                self.by(worker, lambda: cancel(job_id))
            return
        self.by(worker, lambda: cancel(job_id))
        if job.status in WAITING:
            job.end(Status.CANCELLED)
        else:
            job.cancel_requested = True

    @rule(worker=st.integers(0, WORKERS - 1), job_id=ids)
    def retry(self, worker: int, job_id: UUID) -> None:
        job = self.expected[job_id]
        if job.status not in {Status.FAILED, Status.CANCELLED}:
            with pytest.raises(NotRetriable):
                self.by(worker, lambda: retry(job_id))
            return
        self.by(worker, lambda: retry(job_id))
        job.end(Status.QUEUED, attempt=0)
        job.lost, job.lease, job.cancel_requested = 0, None, False

    @rule(target=ids, worker=st.integers(0, WORKERS - 1), job_id=ids)
    def replay(self, worker: int, job_id: UUID) -> Any:
        job = self.expected[job_id]
        if job.status not in FINAL:
            with pytest.raises(NotFinal):
                self.by(worker, lambda: replay(job_id))
            return multiple()
        new: Job = self.by(worker, lambda: replay(job_id))
        assert new.replay_of == job_id
        self.expected[new.id] = Expected(Status.QUEUED, job.priority, job.max_attempts)
        return new.id

    # What workers do.

    @rule(target=attempts, worker=st.integers(0, WORKERS - 1), want=st.integers(1, 4))
    def claim(self, worker: int, want: int) -> Any:
        due = self._line()[:want]
        claimed: list[Attempt] = self.by(worker, lambda: claim(want))
        assert [one.job_id for one in claimed] == due
        for one in claimed:
            self._claimed(one)
        return multiple(*claimed)

    @rule(target=attempts, want=st.integers(1, 2))
    def claim_at_once(self, want: int) -> Any:
        due = self._line()
        futures = [worker._thread.submit(claim, want) for worker in self.workers]
        claimed = [one for future in futures for one in future.result(timeout=60)]
        # Who gets what is chance; that each of the first ones is claimed once is not.
        claimed.sort(key=lambda one: due.index(one.job_id))
        assert [one.job_id for one in claimed] == due[: want * WORKERS]
        for one in claimed:
            self._claimed(one)
        return multiple(*claimed)

    @rule(
        worker=st.integers(0, WORKERS - 1),
        attempt=attempts,
        outcome=st.sampled_from(sorted(OUTCOMES)),
        twice=st.booleans(),
    )
    def end(self, worker: int, attempt: Attempt, outcome: str, twice: bool) -> None:
        job = self.expected[attempt.job_id]
        came_to = OUTCOMES[outcome]
        held = job.lease == attempt.lease and job.status == Status.IN_PROGRESS
        lost = self.by(worker, lambda: finish([finished(attempt, came_to)]))
        if not held:
            if job.lease != attempt.lease:
                assert lost == {attempt.lease}
            return
        assert lost == set()
        self._ended(job, came_to)
        if twice:  # as after a commit whose answer was lost
            assert self.by(worker, lambda: finish([finished(attempt, came_to)])) == set()

    @rule(worker=st.integers(0, WORKERS - 1), attempt=attempts)
    def renew(self, worker: int, attempt: Attempt) -> None:
        job = self.expected[attempt.job_id]
        held = job.lease == attempt.lease and job.status == Status.IN_PROGRESS
        lost = self.by(worker, lambda: heartbeat({attempt.lease: attempt.job_id}, 30.0))
        assert lost == (set() if held else {attempt.lease})
        if held:
            job.dead = False

    @rule(attempt=consumes(attempts))
    def die(self, attempt: Attempt) -> None:
        """Its worker is gone: nobody renews the lease."""
        job = self.expected[attempt.job_id]
        if job.lease == attempt.lease and job.status == Status.IN_PROGRESS:
            Job.objects.filter(id=attempt.job_id).update(
                lease_expires_at=Now() - timedelta(seconds=1)
            )
            job.dead = True

    # What maintenance does.

    @rule(maintainers=st.integers(1, WORKERS))
    def rescue(self, maintainers: int) -> None:
        futures = [
            worker._thread.submit(rescue, 0.0, MOST_LOST_LEASES)
            for worker in self.workers[:maintainers]
        ]
        rescued = [one for future in futures for one in future.result(timeout=60)]
        dead = {str(job_id) for job_id, job in self.expected.items() if job.dead}
        assert sorted(job_id for job_id, *_ in rescued) == sorted(dead)
        for job in self.expected.values():
            if job.dead:
                job.history.append("lost")
                job.lost += 1
                job.lease = None
                poison = job.lost >= MOST_LOST_LEASES
                status = Status.FAILED if poison else Status.QUEUED
                job.end(Status.CANCELLED if job.cancel_requested else status)
                job.attempt -= 1

    @rule(worker=st.integers(0, WORKERS - 1))
    def time_goes_by(self, worker: int) -> None:
        """Everything that is scheduled or backs off is due."""
        Job.objects.filter(status=Status.PENDING).update(scheduled_at=Now() - timedelta(seconds=1))
        self.by(worker, promote)
        for job in self.expected.values():
            if job.status == Status.PENDING:
                job.status = Status.QUEUED

    @rule(worker=st.integers(0, WORKERS - 1), job_id=ids)
    def wait_too_long(self, worker: int, job_id: UUID) -> None:
        Job.objects.filter(id=job_id).update(expires_at=Now() - timedelta(seconds=1))
        self.by(worker, expire)
        job = self.expected[job_id]
        if job.status in WAITING and not job.started:
            job.end(Status.FAILED)
        Job.objects.filter(id=job_id).update(expires_at=None)

    # What must hold.

    @invariant()
    def rows_are_as_expected(self) -> None:
        rows = {
            row["id"]: (
                Status(row["status"]),
                row["attempt"],
                row["lost_leases"],
                row["lease"],
                row["cancel_requested"],
                row["started_at"] is not None,
            )
            for row in Job.objects.values()
        }
        assert rows == {
            job_id: (
                job.status,
                job.attempt,
                job.lost,
                job.lease,
                job.cancel_requested,
                job.started,
            )
            for job_id, job in self.expected.items()
        }

    @invariant()
    def every_move_was_legal(self) -> None:
        for job_id, job in self.expected.items():
            was = self.before.get(job_id, job.status)
            assert was == job.status or job.status in TRANSITIONS[was]
        self.before = {job_id: job.status for job_id, job in self.expected.items()}

    @invariant()
    def completed_jobs_and_no_others_have_metrics(self) -> None:
        completed = {i for i, job in self.expected.items() if job.status == Status.COMPLETED}
        assert set(JobMetrics.objects.values_list("job_id", flat=True)) == completed

    @invariant()
    def every_attempt_that_did_not_complete_is_kept_once(self) -> None:
        kept: dict[UUID, list[str]] = {job_id: [] for job_id in self.expected}
        for attempt in JobAttempt.objects.order_by("id"):
            kept[attempt.job_id].append(attempt.outcome)
        assert kept == {job_id: job.history for job_id, job in self.expected.items()}

    def _line(self) -> list[UUID]:
        """Who waits, in the order in which they must be claimed."""
        rows = Job.objects.filter(
            id__in=[i for i, job in self.expected.items() if job.status == Status.QUEUED]
        )
        return list(
            rows.order_by(F("priority").desc(), "queued_at", "id").values_list("id", flat=True)
        )

    def _claimed(self, attempt: Attempt) -> None:
        job = self.expected[attempt.job_id]
        assert job.status == Status.QUEUED
        job.end(Status.IN_PROGRESS, attempt=job.attempt + 1)
        job.lease, job.started = attempt.lease, True
        assert attempt.number == job.attempt

    def _ended(self, job: Expected, outcome: Outcome) -> None:
        status, kept = Status.QUEUED, "interrupted"
        match outcome:
            case Completed():
                job.end(Status.COMPLETED)
                return
            case Retry() if job.attempt < job.max_attempts:
                status, kept = Status.PENDING, "retry"
            case Retry() | Failed():
                status, kept = Status.FAILED, "failed"
            case Snooze():
                status, kept = Status.PENDING, "snoozed"
            case Cancel():
                status, kept = Status.CANCELLED, "cancelled"
            case Interrupted(started=False):
                kept = ""
        begun = outcome != Interrupted(started=False)
        costs_nothing = isinstance(outcome, Snooze | Interrupted) and not job.cancel_requested
        if costs_nothing or not begun:
            job.attempt -= 1
        if not begun:
            job.started = bool(job.history)
        if job.cancel_requested:
            status, kept = Status.CANCELLED, kept and "cancelled"
        if kept:
            job.history.append(kept)
        job.end(status)


@pytest.mark.django_db(transaction=True)
def test_random_lives() -> None:
    run_state_machine_as_test(
        WholeLife,
        settings=settings(
            max_examples=50,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
