"""Real remote workers: processes that reach the service by HTTP and nothing else."""

import signal
import socket
from pathlib import Path

import pytest

from jobs.models import Job, JobAttempt, JobMetrics, WorkerProcess
from jobs.queue.cancel import cancel
from jobs.queue.pause import drain
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.films import ffmpegs, runs
from tests.integration.remote.conftest import RemoteWorkers
from tests.waiting import wait_until
from tests.web import WebServer
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def transcode(source: str, target: str, priority: int = 2) -> Job:
    return submit(NewJob("transcode", source, target, priority=priority))


def files(store: Path) -> list[Path]:
    return [path for path in (store / "outputs").rglob("*") if path.is_file()]


def name(worker: WorkerUnderTest) -> str:
    return f"remote/{socket.gethostname()[:80]}:{worker.pid}"


def shown(worker: WorkerUnderTest) -> bool:
    """Whether the operators see it."""
    return WorkerProcess.objects.filter(name=name(worker), pools={"low": 1}).exists()


def under_way(job: Job, worker: WorkerUnderTest) -> None:
    wait_until(
        lambda: Job.objects.filter(id=job.id, progress__gt=0).exists(),
        "it is under way and says so",
    )
    assert ffmpegs(worker.pid)


def test_a_transcode_by_http_alone(remote: RemoteWorkers, web: WebServer, store: Path) -> None:
    jobs = [transcode("short.mp4", "mp4"), transcode("gone.mp4", "mp4")]
    other = submit(NewJob("noop", priority=2))
    worker = remote.start("--once")

    done, failed = wait_final(*[job.id for job in jobs], seconds=120)

    assert worker.wait() == 0, worker.output()
    assert done.status == Status.COMPLETED, done.error_message
    assert (done.attempt, done.lost_leases) == (1, 0)
    assert done.worker.startswith("remote/")
    assert done.result is not None
    assert done.result["video"]["codec"] == "h264"
    assert files(store) == [store / "outputs" / done.result["output"]]
    assert files(store)[0].stat().st_size == done.result["size_bytes"]
    assert done.metrics.memory_usage_mb > 5
    assert done.metrics.processing_time_seconds > 0
    assert JobMetrics.objects.count() == 1
    assert (failed.status, failed.error_code) == (Status.FAILED, "source_not_found")
    assert "gone.mp4" in failed.error_message
    other.refresh_from_db()
    assert other.status == Status.QUEUED  # of a type that it did not ask for
    assert not WorkerProcess.objects.exists()  # it said goodbye


def test_another_worker_does_what_a_killed_one_had(
    remote: RemoteWorkers, workers: Workers, store: Path
) -> None:
    workers.start("--queue", "high")  # looks after lost leases
    first = remote.start()
    job = transcode("long.mp4", "webm")
    under_way(job, first)
    children = ffmpegs(first.pid)
    assert shown(first)

    first.send(signal.SIGKILL)
    wait_until(lambda: not any(runs(child) for child in children), "its ffmpeg is gone")
    Job.objects.filter(id=job.id).update(target_format="mp4")  # faster
    remote.start()
    [done] = wait_final(job.id, seconds=120)

    assert (done.status, done.lost_leases, done.attempt) == (Status.COMPLETED, 1, 1)
    assert done.result is not None
    assert files(store) == [store / "outputs" / done.result["output"]]
    [lost] = JobAttempt.objects.all()
    assert lost.outcome == "lost"


def test_who_was_stopped_past_its_lease_publishes_nothing(
    remote: RemoteWorkers, workers: Workers, store: Path
) -> None:
    stopped = remote.start()
    job = transcode("long.mp4", "mp4")
    wait_until(lambda: Job.objects.filter(id=job.id, status="IN_PROGRESS").exists(), "it has it")
    wait_until(lambda: ffmpegs(stopped.pid), "ffmpeg runs")

    # The whole group is not stopped: ffmpeg goes on, and its worker comes back with the result.
    stopped.send(signal.SIGSTOP)
    workers.start("--queue", "low", MEDIA_ROOT=str(store))
    [done] = wait_final(job.id, seconds=120)
    stopped.send(signal.SIGCONT)

    wait_until(lambda: stopped.events("job.refused"), "it learns that its lease was lost")
    done.refresh_from_db()
    assert (done.status, done.lost_leases) == (Status.COMPLETED, 1)
    assert done.result is not None
    assert files(store) == [store / "outputs" / done.result["output"]]
    assert JobMetrics.objects.count() == 1


def test_cancel_sigterm_and_drain(remote: RemoteWorkers, store: Path, tmp_path: Path) -> None:
    worker = remote.start()
    job = transcode("long.mp4", "webm")
    under_way(job, worker)
    [child, *_] = ffmpegs(worker.pid)
    assert cancel(job.id) == Status.IN_PROGRESS
    [cancelled] = wait_final(job.id)
    assert cancelled.status == Status.CANCELLED
    wait_until(lambda: not runs(child), "its ffmpeg is gone")

    job = transcode("long.mp4", "webm")
    under_way(job, worker)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.lost_leases) == (Status.QUEUED, 0, 0)
    assert not files(store)
    Job.objects.all().delete()

    # A processor that does not listen loses its process, and the job goes back all the same.
    deaf = submit(NewJob("hold", priority=2, parameters={"folder": str(tmp_path), "deaf": True}))
    worker = remote.start("--types", "hold", WORKER_GRACE_SECONDS="0.5")
    wait_until(lambda: list(tmp_path.glob(f"{deaf.id}.*")), "it runs")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 1
    deaf.refresh_from_db()
    assert (deaf.status, deaf.attempt) == (Status.QUEUED, 0)
    Job.objects.all().delete()

    # One that waits for jobs ends at once, and nothing is claimed for it.
    idle = remote.start()
    wait_until(lambda: shown(idle), "it asks")
    idle.send(signal.SIGTERM)
    assert idle.wait(15) == 0
    drained = remote.start()
    wait_until(lambda: shown(drained), "it asks")
    assert drain(name(drained))
    assert drained.wait() == 0


def test_a_local_and_two_remote_workers_side_by_side(
    remote: RemoteWorkers, workers: Workers, store: Path
) -> None:
    both = [remote.start(), remote.start()]
    wait_until(lambda: all(shown(worker) for worker in both), "they ask")
    workers.start(
        *("--queue", "low", "--threads", "1"), MEDIA_ROOT=str(store), JOB_LEASE_SECONDS="30"
    )
    jobs = [transcode("short.mp4", "jpg") for _ in range(12)]
    done = wait_final(*[job.id for job in jobs], seconds=120)
    assert {job.status for job in done} == {Status.COMPLETED}
    assert len({job.lease for job in done}) == len(jobs)
    assert not JobAttempt.objects.exists()  # nobody had a job that another had
    assert len({job.worker for job in done}) >= 2
    assert len(files(store)) == JobMetrics.objects.count() == len(jobs)


def test_the_service_goes_away_for_a_while(
    remote: RemoteWorkers, web: WebServer, store: Path
) -> None:
    worker = remote.start()
    job = transcode("long.mp4", "mp4")
    wait_until(lambda: ffmpegs(worker.pid), "ffmpeg runs")
    web.stop()
    wait_until(lambda: worker.events("server.away"), "it has a result, and nobody to give it to")
    web.start()
    [done] = wait_final(job.id, seconds=120)
    assert (done.status, done.lost_leases) == (Status.COMPLETED, 0)
