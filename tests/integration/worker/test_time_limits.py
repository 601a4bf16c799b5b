"""Attempts that take too long: told at the soft limit, taken away at the hard one."""

import signal
from pathlib import Path

import psutil
import pytest

from jobs.models import Job
from jobs.queue.cancel import cancel
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from tests.films import ffmpegs, make_long_film, runs
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def hold(
    folder: Path, soft: float | None = None, hard: float | None = None, **parameters: object
) -> Job:
    """A job that runs until it is told to stop, with limits of its own."""
    job = submit_hold(folder, soft, hard, **parameters)
    wait_until(lambda: started(folder, job), "it runs")
    return job


def submit_hold(
    folder: Path, soft: float | None = None, hard: float | None = None, **parameters: object
) -> Job:
    """The same, which may not have begun."""
    return submit(
        NewJob(
            "hold",
            parameters={"folder": str(folder), **parameters},
            priority=1,
            max_attempts=1,
            soft_limit_seconds=soft,
            hard_limit_seconds=hard,
        )
    )


def started(folder: Path, job: Job) -> list[Path]:
    """A file for each of its attempts."""
    return list(folder.glob(f"{job.id}.*"))


def test_at_the_soft_limit_an_attempt_is_told_to_stop(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "low", JOB_SOFT_LIMIT_SECONDS="0.3")
    [done] = wait_final(hold(tmp_path).id)
    assert (done.status, done.error_code, done.attempt) == (Status.FAILED, "timed_out", 1)
    assert "0.3 s" in done.error_message
    [said] = worker.events("job.timed_out")
    assert (said["limit"], said["job_id"]) == ("soft", str(done.id))
    assert not worker.events("worker.thread_replaced")


def test_a_jobs_own_limit_wins(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "low", JOB_SOFT_LIMIT_SECONDS="0.3")
    patient = hold(tmp_path, soft=600)
    [done] = wait_final(hold(tmp_path).id)
    assert done.error_code == "timed_out"
    patient.refresh_from_db()
    assert patient.status == Status.IN_PROGRESS
    (tmp_path / "release").touch()
    [done] = wait_final(patient.id)
    assert done.status == Status.COMPLETED


def test_a_stuck_thread_is_replaced_and_its_result_refused(
    workers: Workers, tmp_path: Path
) -> None:
    worker = workers.start("--queue", "low", "--threads", "1")
    job = hold(tmp_path, 0.5, 1.5, deaf=True)
    [done] = wait_final(job.id)
    assert (done.status, done.error_code, done.attempt) == (Status.FAILED, "timed_out", 1)
    [said] = wait_until(lambda: worker.events("worker.thread_replaced"), "replaced")
    assert (said["replaced"], said["by"]) == ("low-1", "low-2")
    # The only thread of the pool is stuck, and yet others run.
    [other] = wait_final(submit(NewJob("noop", priority=1)).id)
    assert other.status == Status.COMPLETED
    process = psutil.Process(worker.pid)
    with_stuck = process.num_threads()
    (tmp_path / "release").touch()
    [refused] = wait_until(lambda: worker.events("job.refused"), "the late result is refused")
    assert refused["job_id"] == str(job.id)
    job.refresh_from_db()
    assert (job.status, job.result) == (Status.FAILED, None)
    wait_until(lambda: process.num_threads() == with_stuck - 1, "the thread that came back ends")
    wait_final(submit(NewJob("noop", priority=1)).id)
    assert len(started(tmp_path, job)) == 1


def test_a_stuck_thread_does_not_hold_up_the_drain(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start(
        "--queue", "low", "--threads", "1", WORKER_GRACE_SECONDS="600", JOB_LEASE_SECONDS="600"
    )
    job = hold(tmp_path, 0.5, 1.5, deaf=True)
    wait_final(job.id)
    wait_until(lambda: worker.events("worker.thread_replaced"), "replaced")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0


def test_a_process_with_many_stuck_threads_ends_for_a_new_one(
    workers: Workers, tmp_path: Path
) -> None:
    worker = workers.start("--queue", "low", "--threads", "1")
    jobs = [submit_hold(tmp_path, 0.5, 1.0, deaf=True) for _ in range(4)]
    assert worker.wait() == 1
    assert worker.events("worker.too_many_stuck")
    assert {job.status for job in wait_final(*[job.id for job in jobs])} == {Status.FAILED}


def test_what_its_chunk_had_done_before_is_settled(workers: Workers, tmp_path: Path) -> None:
    ids = [submit(NewJob("noop", priority=1)).id for _ in range(400)]
    stuck = submit(
        NewJob(
            "hold",
            parameters={"folder": str(tmp_path), "deaf": True},
            priority=1,
            max_attempts=1,
            hard_limit_seconds=1,
        )
    )
    ids += [submit(NewJob("noop", priority=1)).id for _ in range(400)]
    workers.start("--queue", "low", "--threads", "1")
    done = wait_final(*ids)
    assert {job.status for job in done} == {Status.COMPLETED}
    [job] = wait_final(stuck.id)
    assert job.error_code == "timed_out"


def test_what_its_chunk_had_done_before_is_not_held_up(workers: Workers, tmp_path: Path) -> None:
    for _ in range(5):  # by chance a chunk ends right before the long job
        submit_many(NewJob("noop", priority=1) for _ in range(500))
        submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=1))
    ids = list(Job.objects.filter(job_type="noop").values_list("id", flat=True))
    worker = workers.start("--queue", "low", "--threads", "6")
    wait_final(*ids)
    running = Job.objects.filter(job_type="hold", status=Status.IN_PROGRESS)
    wait_until(lambda: running.count() == 5, "the long ones run")
    assert not worker.events("job.refused")
    (tmp_path / "release").touch()
    done = wait_final(*Job.objects.values_list("id", flat=True))
    assert {job.status for job in done} == {Status.COMPLETED}
    assert not worker.events("job.refused")


def test_a_stuck_job_that_was_cancelled_is_cancelled(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "low", "--threads", "1")
    job = hold(tmp_path, 600, 1, deaf=True)
    cancel(job.id)
    [done] = wait_final(job.id)
    assert (done.status, done.error_code) == (Status.CANCELLED, "")
    wait_final(submit(NewJob("noop", priority=1)).id)


def test_what_is_left_of_the_time_is_tried_again(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "low")
    job = submit(
        NewJob(
            "hold",
            parameters={"folder": str(tmp_path)},
            priority=1,
            max_attempts=2,
            soft_limit_seconds=0.2,
        )
    )
    [done] = wait_final(job.id)
    assert (done.error_code, done.attempt) == ("timed_out", 2)
    assert len(started(tmp_path, job)) == 2


def test_an_encode_ends_at_the_limit_and_leaves_nothing(workers: Workers, tmp_path: Path) -> None:
    store = tmp_path / "store"
    film = make_long_film(store)
    worker = workers.start("--queue", "high", MEDIA_ROOT=str(store))
    new = NewJob("transcode", film, "webm", priority=9, max_attempts=1, soft_limit_seconds=4)
    job = submit(new)
    running = wait_until(lambda: ffmpegs(worker.pid), "ffmpeg runs")
    [done] = wait_final(job.id)
    assert (done.status, done.error_code) == (Status.FAILED, "timed_out")
    assert not any(runs(one) for one in running)
    assert not [path for path in (store / "outputs").rglob("*") if path.is_file()]
    assert not worker.events("worker.thread_replaced")
