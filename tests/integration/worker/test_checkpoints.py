"""What an attempt saved is there for the next one, also when its worker was killed."""

import json
import signal
import threading
from pathlib import Path

import pytest

from jobs.models import Job, JobCheckpoint
from jobs.processors.contract import LeaseLost
from jobs.queue.rescue import rescue
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution
from jobs.worker.patience import Patience
from tests.rows import claim_one, expire, new_job
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def remember(folder: Path, how: str) -> Job:
    """A job that counts in a step, saves a state, and breaks off once."""
    return submit(NewJob("remember", parameters={"folder": str(folder), "how": how}, priority=9))


def counted(folder: Path) -> int:
    """How often its step was called."""
    return len((folder / "counted").read_text())


def test_a_retry_goes_on_where_the_failed_attempt_was(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    [done] = wait_final(remember(tmp_path, "retry").id)
    assert (done.status, done.attempt, counted(tmp_path)) == (Status.COMPLETED, 2, 1)
    assert done.result is not None
    lease = done.result["state"]["lease"]
    assert done.result == {
        "count": {"lease": lease, "pair": [1, 2]},
        "state": {"lease": lease, "position": 17},
    }
    assert lease < done.lease
    wait_until(lambda: not JobCheckpoint.objects.exists(), "nothing is kept of a completed job")


def test_a_rescued_job_goes_on_where_its_dead_worker_was(workers: Workers, tmp_path: Path) -> None:
    job = remember(tmp_path, "die")
    first = workers.start("--queue", "high", ready=False)
    assert first.wait() == -signal.SIGKILL
    kept = JobCheckpoint.objects.get()
    assert (kept.job_id, kept.state["position"]) == (job.id, 17)
    workers.start("--queue", "high")
    [done] = wait_final(job.id)
    assert (done.status, done.lost_leases, counted(tmp_path)) == (Status.COMPLETED, 1, 1)


def test_a_failed_job_keeps_it_for_whoever_tries_it_again(workers: Workers, tmp_path: Path) -> None:
    parameters = {"folder": str(tmp_path), "how": "retry"}
    workers.start("--queue", "high")
    job = submit(NewJob("remember", parameters=parameters, priority=9, max_attempts=1))
    [done] = wait_final(job.id)
    assert (done.status, done.error_code) == (Status.FAILED, "not_yet")
    assert JobCheckpoint.objects.get().state["position"] == 17


def test_a_state_that_is_too_large_is_the_processors_error(
    workers: Workers, tmp_path: Path
) -> None:
    parameters = {"folder": str(tmp_path), "how": "overlong"}
    workers.start("--queue", "high")
    job = submit(NewJob("remember", parameters=parameters, priority=9, max_attempts=1))
    [done] = wait_final(job.id)
    assert done.error_code == "exception"
    assert "65536 bytes" in done.error_message
    assert len(json.dumps(JobCheckpoint.objects.get().state)) < 100


def test_who_lost_the_job_saves_nothing_and_stops(workers: Workers, tmp_path: Path) -> None:
    zombie = workers.start("--queue", "high")
    job = remember(tmp_path, "lose")
    wait_until(JobCheckpoint.objects.exists, "saved")
    zombie.send(signal.SIGSTOP)
    workers.start("--queue", "high")
    [done] = wait_final(job.id)
    assert done.status == Status.COMPLETED
    zombie.send(signal.SIGCONT)
    wait_until(lambda: zombie.events("job.ended"), "its attempt ends")
    assert zombie.events("job.ended")[0]["outcome"] == "interrupted"
    assert not zombie.events("job.raised")
    wait_until(lambda: zombie.events("job.refused"), "its outcome is refused")
    assert not JobCheckpoint.objects.exists()


def test_who_lost_the_job_calls_no_step() -> None:
    job = new_job()
    execution = Execution(claim_one(), 0.0, threading.current_thread(), Checkpoints(Patience()))
    called: list[str] = []
    assert execution.step("first", lambda: called.append("first")) is None
    expire(job.id)
    rescue(0.0, 3)
    claim_one()
    with pytest.raises(LeaseLost):
        execution.step("second", lambda: called.append("second"))
    assert called == ["first"]
    assert execution.stopped()
