"""Real worker processes: they process, retry, fail, hand back, and survive each other's deaths."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from jobs.models import Job, WorkerProcess
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


LEASE_SECONDS = 3


def hold(folder: Path, **parameters: object) -> Job:
    """A job that runs until `release` appears in the folder."""
    return submit(NewJob("hold", parameters={"folder": str(folder), **parameters}, priority=9))


def started(folder: Path, job: Job) -> list[int]:
    """The leases under which a held job was started."""
    return sorted(int(path.suffix[1:]) for path in folder.glob(f"{job.id}.*"))


def test_jobs_of_both_pools_are_done_in_one_process(workers: Workers) -> None:
    workers.start("--queue", "high", "--queue", "low")
    ids = submit_many(NewJob("noop", priority=number % 11) for number in range(60))
    jobs = wait_final(*ids)
    assert {job.status for job in jobs} == {Status.COMPLETED}
    assert all(job.metrics.memory_usage_mb == 1 and job.attempt == 1 for job in jobs)


def test_the_high_pool_leaves_low_jobs_alone(workers: Workers) -> None:
    low = submit(NewJob("noop", priority=3))
    workers.start("--queue", "high")
    high = submit_many(NewJob("noop", priority=8) for _ in range(20))
    wait_final(*high)
    low.refresh_from_db()
    assert low.status == Status.QUEUED


def test_once_empties_the_queue_and_exits(workers: Workers) -> None:
    ids = submit_many(NewJob("noop") for _ in range(30))
    worker = workers.start("--queue", "low", "--once", ready=False)
    assert worker.wait() == 0
    assert Job.objects.filter(id__in=ids, status=Status.COMPLETED).count() == 30
    assert not WorkerProcess.objects.exists()


def test_an_unknown_pool_is_refused_with_exit_code_2(workers: Workers) -> None:
    worker = workers.start("--queue", "turbo", ready=False)
    assert worker.wait() == 2
    assert "there is no pool 'turbo'. Known pools: high, low" in worker.output()
    assert "Traceback" not in worker.output()


@pytest.mark.parametrize(
    "arguments", [["--threads", "3"], ["--queue", "high", "--threads", "0"], ["--queue"]]
)
def test_arguments_that_make_no_sense_exit_with_2(workers: Workers, arguments: list[str]) -> None:
    worker = workers.start(*arguments, ready=False)
    assert worker.wait() == 2
    assert "Traceback" not in worker.output()


def test_threads_are_as_many_as_asked_for(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high", "--threads", "3", "--queue", "low")
    assert WorkerProcess.objects.get().pools == {"high": 3, "low": 2}
    jobs = [hold(tmp_path) for _ in range(4)]
    wait_until(lambda: sum(bool(started(tmp_path, job)) for job in jobs) == 3, "three running")
    assert Job.objects.filter(status=Status.QUEUED).count() == 1
    (tmp_path / "release").touch()
    wait_final(*(job.id for job in jobs))


def test_a_failing_job_is_retried_then_dead(workers: Workers) -> None:
    workers.start("--queue", "low")
    job = submit(NewJob("fail", parameters={"how": "retry"}))
    raising = submit(NewJob("fail", parameters={"how": "raise"}))
    dead, raised = wait_final(job.id, raising.id)
    assert (dead.status, dead.attempt, dead.error_code) == (Status.FAILED, 3, "not_yet")
    assert (raised.attempt, raised.error_message) == (3, "RuntimeError: boom")


@pytest.mark.parametrize(
    ("how", "code"),
    [("permanent", "hopeless"), ("unstorable", "bad_result"), ("overlong", "bad_result")],
)
def test_a_hopeless_job_is_tried_once(workers: Workers, how: str, code: str) -> None:
    workers.start("--queue", "low")
    [job] = wait_final(submit(NewJob("fail", parameters={"how": how})).id)
    assert (job.status, job.attempt, job.error_code) == (Status.FAILED, 1, code)


def test_an_outcome_that_cannot_be_stored_fails_its_own_job_only(workers: Workers) -> None:
    how = {"how": "overlong"}
    ids = submit_many(
        NewJob("fail", parameters=how) if number % 50 == 49 else NewJob("noop")
        for number in range(300)
    )
    workers.start("--queue", "low")
    statuses = [job.status for job in wait_final(*ids, seconds=120)]
    assert statuses == ["FAILED" if number % 50 == 49 else "COMPLETED" for number in range(300)]


def test_an_unknown_job_type_fails_and_says_so(workers: Workers) -> None:
    workers.start("--queue", "low")
    [job] = wait_final(submit(NewJob("knit")).id)
    assert (job.status, job.error_code) == (Status.FAILED, "unknown_job_type")


def test_progress_is_written_while_a_job_runs(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    job = hold(tmp_path)
    wait_until(
        lambda: Job.objects.filter(
            id=job.id, progress=0.5, progress_message="half way", status=Status.IN_PROGRESS
        ).exists(),
        "progress in the row",
    )
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert (done.progress, done.progress_message) == (1.0, "")


def test_a_long_job_keeps_its_lease(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high", JOB_LEASE_SECONDS=str(LEASE_SECONDS))
    job = hold(tmp_path)
    wait_until(
        lambda: Job.objects.filter(
            id=job.id, lease_expires_at__gt=F("started_at") + timedelta(seconds=3 * LEASE_SECONDS)
        ).exists(),
        "renewed past two lease times",
    )
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert (done.lost_leases, done.attempt, len(started(tmp_path, job))) == (0, 1, 1)


def test_a_killed_workers_job_is_done_by_another(workers: Workers, tmp_path: Path) -> None:
    first = workers.start("--queue", "high")
    job = hold(tmp_path)
    wait_until(lambda: started(tmp_path, job), "started")
    second = workers.start("--queue", "high", JOB_LEASE_SECONDS="10")
    first.send(signal.SIGKILL)
    (lease,) = started(tmp_path, job)
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert (done.status, done.lost_leases, done.attempt) == (Status.COMPLETED, 1, 1)
    assert done.result == {"lease": max(started(tmp_path, job))}
    assert done.result != {"lease": lease}
    assert done.worker.endswith(f":{second.pid}")


def test_a_zombies_result_is_refused(workers: Workers, tmp_path: Path) -> None:
    zombie = workers.start("--queue", "high")
    job = hold(tmp_path, deaf=True)
    wait_until(lambda: started(tmp_path, job), "started")
    zombie.send(signal.SIGSTOP)
    workers.start("--queue", "high", JOB_LEASE_SECONDS="10")
    wait_until(lambda: len(started(tmp_path, job)) == 2, "started again by the other")
    zombie.send(signal.SIGCONT)
    wait_until(lambda: zombie.events("lease.lost"), "the zombie notices")
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    wait_until(lambda: zombie.events("job.refused"), "the zombie's result is refused")
    assert (done.result, done.lost_leases) == ({"lease": max(started(tmp_path, job))}, 1)


def test_a_short_stop_loses_nothing(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high", JOB_LEASE_SECONDS="30")
    job = hold(tmp_path)
    wait_until(lambda: started(tmp_path, job), "started")
    worker.send(signal.SIGSTOP)
    worker.send(signal.SIGCONT)
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert (done.lost_leases, len(started(tmp_path, job))) == (0, 1)


def test_a_job_that_kills_its_workers_is_poison(workers: Workers) -> None:
    job = submit(NewJob("die", priority=9))
    for _ in range(3):
        worker = workers.start("--queue", "high", ready=False)
        assert worker.wait() == -signal.SIGKILL
    workers.start("--queue", "low")
    [dead] = wait_final(job.id)
    assert (dead.status, dead.error_code, dead.lost_leases) == (Status.FAILED, "poison", 3)


def test_sigterm_lets_a_running_job_finish(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high", WORKER_GRACE_SECONDS="30")
    job, waiting = hold(tmp_path), [hold(tmp_path) for _ in range(6)]
    wait_until(lambda: started(tmp_path, job), "started")
    worker.send(signal.SIGTERM)
    wait_until(lambda: worker.events("worker.draining"), "draining")
    (tmp_path / "release").touch()
    assert worker.wait() == 0
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert not Job.objects.filter(status=Status.IN_PROGRESS).exists()
    assert Job.objects.filter(id__in=[one.id for one in waiting], status=Status.QUEUED).exists()


@pytest.mark.parametrize("deaf", [False, True])
def test_after_the_grace_period_jobs_go_back_unharmed(
    workers: Workers, tmp_path: Path, deaf: bool
) -> None:
    worker = workers.start("--queue", "high", WORKER_GRACE_SECONDS="0.2")
    job = hold(tmp_path, deaf=deaf)
    wait_until(lambda: started(tmp_path, job), "started")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.lost_leases) == (Status.QUEUED, 0, 0)
    workers.start("--queue", "high")
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert (done.status, done.attempt) == (Status.COMPLETED, 1)


def test_a_second_sigterm_hands_back_at_once(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high", WORKER_GRACE_SECONDS="600")
    job = hold(tmp_path)
    wait_until(lambda: started(tmp_path, job), "started")
    worker.send(signal.SIGTERM)
    wait_until(lambda: worker.events("worker.draining"), "draining")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    job.refresh_from_db()
    assert (job.status, job.attempt) == (Status.QUEUED, 0)


def test_every_line_of_a_jobs_log_names_job_pool_worker_and_attempt(workers: Workers) -> None:
    worker = workers.start("--queue", "high")
    [job] = wait_final(submit(NewJob("noop", priority=9)).id)
    lines = wait_until(lambda: worker.events("job.ended"), "logged") + worker.events("job.started")
    for line in lines:
        assert line["job_id"] == str(job.id)
        assert (line["pool"], line["attempt"]) == ("high", 1)
        assert line["worker"].endswith(f":{worker.pid}")
