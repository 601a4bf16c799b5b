"""Running jobs that are cancelled stop within a second, with a signal or without one."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from jobs.models import Job, JobMetrics
from jobs.queue.cancel import cancel
from jobs.queue.redis_signal import channel
from jobs.queue.signal import announcer
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.films import ffmpegs, make_long_film, runs
from tests.redis_server import RedisServer
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

# About how long it takes until a worker has looked by itself.
WITHOUT_SIGNAL_SECONDS = 1.0
# Of a busy machine, beside what is promised. Who did neither hear nor look would stop with the next
# renewal of its lease, after minutes.
SLACK_SECONDS = 10.0


@pytest.fixture
def silent(settings: Settings) -> Iterator[Settings]:
    """This process sends no NOTIFY; Redis where the test says so."""
    announcer.close()
    settings.WAKEUP_NOTIFY = False
    yield settings
    announcer.close()


def hold(folder: Path, **parameters: object) -> Job:
    """A running job that ends when it is told to, or when `release` appears in the folder."""
    job = submit(NewJob("hold", parameters={"folder": str(folder), **parameters}, priority=9))
    wait_until(lambda: list(folder.glob(f"{job.id}.*")), "it runs")
    return job


def seconds_to_cancel(job: Job) -> float:
    """Cancel a running job and wait until it is."""
    began = time.monotonic()
    assert cancel(job.id) == Status.IN_PROGRESS
    [done] = wait_final(job.id)
    assert (done.status, done.result) == (Status.CANCELLED, None)
    return time.monotonic() - began


def cancelled_by_signals(folder: Path) -> None:
    """Five jobs one after the other stop too soon for a worker that looks by itself. On a machine
    that is busy with other things the first five may not."""
    wait_until(
        lambda: (
            sum(seconds_to_cancel(hold(folder)) for _ in range(5)) < 5 * WITHOUT_SIGNAL_SECONDS / 2
        ),
        "signals stop them",
    )


def test_a_signal_stops_a_running_job(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high", JOB_LEASE_SECONDS="600")
    cancelled_by_signals(tmp_path)
    assert {said["outcome"] for said in worker.events("job.ended")} == {"cancel"}


def test_redis_carries_the_signal_as_well(
    workers: Workers, tmp_path: Path, silent: Settings
) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    silent.REDIS_URL = redis.url
    workers.start(
        "--queue", "high", JOB_LEASE_SECONDS="600", WAKEUP_NOTIFY="False", REDIS_URL=redis.url
    )
    wait_until(lambda: redis.subscribers(channel()) == 1, "subscribed")
    cancelled_by_signals(tmp_path)
    redis.kill()


@pytest.mark.usefixtures("silent")
def test_without_any_signal_the_worker_looks_itself(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high", JOB_LEASE_SECONDS="600", WAKEUP_NOTIFY="False")
    taken = [seconds_to_cancel(hold(tmp_path)) for _ in range(3)]
    assert max(taken) < WITHOUT_SIGNAL_SECONDS + SLACK_SECONDS, taken


def test_only_the_cancelled_job_stops(workers: Workers, tmp_path: Path) -> None:
    workers.start("--queue", "high")
    cancelled, other = hold(tmp_path), hold(tmp_path)
    seconds_to_cancel(cancelled)
    other.refresh_from_db()
    assert other.status == Status.IN_PROGRESS
    (tmp_path / "release").touch()
    [done] = wait_final(other.id)
    assert done.status == Status.COMPLETED


def test_who_does_not_listen_is_not_tried_again(workers: Workers, tmp_path: Path) -> None:
    """Its worker dies instead: a cancelled job is not rescued into the queue."""
    worker = workers.start("--queue", "high")
    job = hold(tmp_path, deaf=True)
    cancel(job.id)
    wait_until(lambda: worker.events("job.cancelled"), "it was told")
    worker.process.kill()
    workers.start("--queue", "high")
    [done] = wait_final(job.id)
    assert (done.status, len(list(tmp_path.glob(f"{job.id}.*")))) == (Status.CANCELLED, 1)


def test_an_encode_is_ended_within_a_second_and_leaves_nothing(
    workers: Workers, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    film = make_long_film(store)
    worker = workers.start("--queue", "high", MEDIA_ROOT=str(store), JOB_LEASE_SECONDS="600")
    job = submit(NewJob("transcode", film, "webm", priority=9))
    wait_until(lambda: list((store / "outputs").rglob("*.part")), "it is being written")
    # What an attempt of a killed worker has left behind goes as well.
    folder = store / "outputs" / str(job.id)
    (folder / "1.webm.part").write_text("left over")
    running = wait_until(lambda: ffmpegs(worker.pid), "ffmpeg runs")
    began = time.monotonic()
    assert cancel(job.id) == Status.IN_PROGRESS
    wait_until(lambda: not any(runs(one) for one in running), "ffmpeg is gone")
    assert time.monotonic() - began < 1 + SLACK_SECONDS
    [done] = wait_final(job.id)
    assert (done.status, done.result, done.attempt) == (Status.CANCELLED, None, 1)
    wait_until(lambda: not folder.exists(), "nothing of it is left")
    assert not JobMetrics.objects.exists()
    assert worker.process.poll() is None
    assert (store / "sources" / film).exists()
