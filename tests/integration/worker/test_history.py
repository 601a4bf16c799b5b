"""Real worker processes leave a history of what happened, also those that were killed."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from jobs.models import Job, JobAttempt
from jobs.queue.dead_letter import retry
from jobs.queue.expire import expire
from jobs.queue.history import attempts, events
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def script(folder: Path, *words: str, max_attempts: int = 3) -> Job:
    """A job whose attempts come to these."""
    parameters = {"folder": str(folder), "script": words}
    return submit(NewJob("script", parameters=parameters, priority=9, max_attempts=max_attempts))


def told(job: Job) -> list[tuple[int, str]]:
    """Number and outcome of each attempt."""
    return [(one.number, one.outcome) for one in attempts(job)]


def test_every_attempt_is_told_until_the_job_is_done(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high")
    job = script(tmp_path, "retry", "snooze", "raise", "done")
    [done] = wait_final(job.id)
    assert done.status == Status.COMPLETED
    assert told(done) == [(1, "retry"), (2, "snoozed"), (2, "retry"), (3, "completed")]
    assert all(one.worker.endswith(f":{worker.pid}") for one in attempts(done))
    first, snoozed, raised, _ = attempts(done, tracebacks=True)
    assert (first.error_code, first.error_message) == ("not_yet", "not this time")
    assert snoozed.error_message == "the source is still growing"
    assert raised.error_message == "RuntimeError: boom"
    assert 'raise RuntimeError("boom")' in raised.traceback
    assert not any(one.traceback for one in attempts(done))


def test_a_permanent_exception_is_not_tried_again(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    [job] = wait_final(script(tmp_path, "refuse", "done").id)
    assert (job.status, job.error_message) == (Status.FAILED, "PermissionError: not yours")
    assert told(job) == [(1, "failed")]


def test_as_many_attempts_as_the_job_asks_for(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    [job] = wait_final(script(tmp_path, *["retry"] * 5, max_attempts=5).id)
    assert told(job) == [*((number, "retry") for number in range(1, 5)), (5, "failed")]


def test_a_retry_comes_back_when_it_said(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    [job] = wait_final(script(tmp_path, "after", "done").id)
    first, second = attempts(job)
    assert first.ended_at is not None
    assert timedelta(seconds=1) <= second.started_at - first.ended_at < timedelta(seconds=20)


def test_a_processor_can_cancel_its_job(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    job = script(tmp_path, "cancel")
    wait_until(lambda: Job.objects.filter(status=Status.CANCELLED).exists(), "cancelled")
    job.refresh_from_db()
    assert [one.error_message for one in attempts(job)] == ["nobody wants it"]
    assert told(job) == [(1, "cancelled")]


def test_a_killed_worker_leaves_a_lost_attempt(workers: Workers, tmp_path: Path) -> None:
    first = workers.start("--queue", "high")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "it runs")
    first.send(signal.SIGKILL)
    first.wait()
    second = workers.start("--queue", "high")
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    lost, completed = attempts(done)
    assert (lost.number, lost.outcome) == (1, "lost")
    assert lost.worker.endswith(f":{first.pid}")
    assert "did not renew" in lost.error_message
    assert (completed.number, completed.outcome) == (1, "completed")
    assert completed.worker.endswith(f":{second.pid}")
    assert [one.kind for one in events(done)] == [
        "created", "queued",
        "attempt_started", "attempt_ended",
        "attempt_started", "attempt_ended",
        "completed",
    ]  # fmt: skip


def test_a_killed_worker_of_a_job_to_be_cancelled(workers: Workers, tmp_path: Path) -> None:
    first = workers.start("--queue", "high")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "it runs")
    Job.objects.filter(id=job.id).update(cancel_requested=True)
    first.send(signal.SIGKILL)
    first.wait()
    workers.start("--queue", "high")
    wait_until(lambda: Job.objects.filter(status=Status.CANCELLED).exists(), "cancelled")
    job.refresh_from_db()
    assert told(job) == [(1, "lost")]
    assert len(list(tmp_path.glob(f"{job.id}.*"))) == 1


def test_a_drain_leaves_an_interrupted_attempt(workers: Workers, tmp_path: Path) -> None:
    first = workers.start("--queue", "high", WORKER_GRACE_SECONDS="0.1")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "it runs")
    first.send(signal.SIGTERM)
    assert first.wait() == 0
    job.refresh_from_db()
    assert told(job) == [(1, "interrupted")]
    assert (job.status, job.attempt) == (Status.QUEUED, 0)


def test_a_retried_job_runs_again_with_its_history(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    job = script(tmp_path, "refuse", "done")
    wait_final(job.id)
    retry(job.id, actor="ann")
    wait_until(lambda: Job.objects.filter(status=Status.COMPLETED).exists(), "completed")
    job.refresh_from_db()
    assert told(job) == [(1, "failed"), (1, "completed")]
    kinds = [one.kind for one in events(job)]
    assert kinds.index("failed") < kinds.index("retried") < kinds.index("completed")


def test_workers_fail_what_nobody_started_in_time(workers: Workers) -> None:
    late = submit(NewJob("noop", priority=1, expires_in=0.2))
    worker = workers.start("--queue", "high")
    [failed] = wait_final(late.id)
    assert (failed.status, failed.error_code) == (Status.FAILED, "expired")
    wait_until(lambda: worker.events("jobs.expired"), "it says so")
    assert not JobAttempt.objects.exists()


def test_an_expired_job_is_never_run(workers: Workers) -> None:
    """Workers that find it before maintenance does leave it alone."""
    late = submit(NewJob("noop", priority=9, expires_in=60.0))
    Job.objects.filter(id=late.id).update(expires_at=Now())
    following = submit(NewJob("noop", priority=9))
    worker = workers.start("--queue", "high", "--once", ready=False)
    assert worker.wait() == 0
    assert Job.objects.get(id=following.id).status == Status.COMPLETED
    expire()
    late.refresh_from_db()
    assert (late.error_code, late.started_at) == ("expired", None)
