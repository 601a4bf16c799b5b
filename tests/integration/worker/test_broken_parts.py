"""A part of a worker process breaks, or what it works with: nothing stays behind unnoticed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import ProgrammingError
from django.utils import timezone

from jobs.models import Job
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from jobs.worker.maintenance import Maintenance
from jobs.worker.patience import Patience
from tests.waiting import wait_until
from tests.workers import PROJECT, Workers, environment_of, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

LONG_LEASE = {"JOB_LEASE_SECONDS": "600"}


def sabotage(what: str) -> Job:
    """A job of the low pool that breaks this part of its worker."""
    return submit(NewJob("sabotage", parameters={"what": what}, priority=1))


def test_what_a_thread_that_broke_had_claimed_is_handed_back(workers: Workers) -> None:
    sabotage("thread")
    next_job = submit(NewJob("noop", priority=1))
    worker = workers.start("--queue", "low", "--threads", "1", ready=False, **LONG_LEASE)
    assert worker.wait() == 1
    assert worker.events("worker.thread_died")
    next_job.refresh_from_db()
    assert (next_job.status, next_job.attempt, next_job.lost_leases) == (Status.QUEUED, 0, 0)


def test_a_process_that_can_renew_no_lease_any_more_ends(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "low", JOB_LEASE_SECONDS="1", WORKER_GRACE_SECONDS="0.2")
    held = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=1))
    sabotage("heartbeat")
    assert worker.wait() == 1
    assert worker.events("worker.thread_died")
    held.refresh_from_db()
    assert (held.status, held.attempt) == (Status.QUEUED, 0)


def test_outputs_that_cannot_be_deleted_break_nothing(workers: Workers) -> None:
    worker = workers.start("--queue", "low", "--threads", "1")
    job = sabotage("storage")
    done = wait_final(job.id, submit(NewJob("noop", priority=1)).id)
    assert [one.status for one in done] == [Status.COMPLETED] * 2
    [said] = worker.events("outputs.not_deleted")
    assert said["job_id"] == str(job.id)
    assert worker.process.poll() is None


@pytest.mark.parametrize(
    "reported", [{"progress": "half"}, {"progress": [1]}, {"progress": {}, "message": None}]
)
def test_what_is_no_progress_fails_its_own_attempt(
    workers: Workers, reported: dict[str, object]
) -> None:
    worker = workers.start("--queue", "low")
    new = NewJob("report", parameters=reported, priority=1, max_attempts=1)
    [job] = wait_final(submit(new).id)
    assert (job.status, job.error_code) == (Status.FAILED, "exception")
    assert not worker.events("worker.thread_died")


def test_a_worker_that_waits_for_the_database_at_its_start_can_be_stopped(tmp_path: Path) -> None:
    environment = environment_of("postgres://nobody:none@127.0.0.1:1/none")
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_workers", "--queue", "low"],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: b"database.lost" in log.read_bytes(), "it waits")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("part", ["seconds_until_due", "rescue", "expire", "release"])
def test_a_part_of_maintenance_that_fails_keeps_no_other_from_being_done(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    called: list[str] = []

    def fail(*arguments: object) -> None:
        called.append(part)
        raise ProgrammingError("no such column")

    monkeypatch.setattr(f"jobs.worker.maintenance.{part}", fail)
    maintenance = Maintenance(
        Patience(), lambda: 1, lambda _: (), scan_seconds=0.1, lease_seconds=0.0, most_lost_leases=3
    )
    maintenance.start()
    try:
        late = submit(NewJob("noop", expires_in=0.0))
        due = submit(NewJob("noop", scheduled_at=timezone.now() + timedelta(seconds=0.2)))
        wait_until(lambda: called.count(part) >= 3, "it is tried again and again")
        if part != "expire":
            wait_until(lambda: in_state(late, Status.FAILED), "what is late expires")
        if part != "seconds_until_due":
            wait_until(lambda: in_state(due, Status.QUEUED), "what is due is queued")
        assert maintenance.is_alive()
    finally:
        maintenance.stop()
        maintenance.join()


def in_state(job: Job, status: Status) -> bool:
    """Whether it has it by now."""
    return Job.objects.filter(id=job.id, status=status).exists()
