"""Pools that are paused claim nothing, over restarts too; a process that is drained ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from jobs.models import Job, WorkerProcess
from jobs.queue.pause import drain, pause, resume
from jobs.queue.signal import announcer
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.waiting import wait_until
from tests.workers import Workers, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def silent(settings: Settings) -> Iterator[None]:
    """Nothing is announced: workers see by themselves."""
    announcer.close()
    settings.WAKEUP_NOTIFY = False
    yield
    announcer.close()


def noop(priority: int) -> Job:
    return submit(NewJob("noop", priority=priority))


def test_a_paused_pool_claims_nothing_and_others_do(workers: Workers) -> None:
    worker = workers.start("--queue", "high", "--queue", "low", JOB_LEASE_SECONDS="600")
    wait_final(noop(9).id)
    pause("high")
    wait_until(lambda: worker.events("pool.paused"), "it is seen at once")
    paused = [noop(9) for _ in range(5)]
    wait_final(*(noop(1).id for _ in range(5)))
    assert Job.objects.filter(id__in=[job.id for job in paused], status="QUEUED").count() == 5
    resume("high")
    wait_final(*(job.id for job in paused))
    assert [one["pool"] for one in worker.events("pool.resumed")] == ["high"]


def test_what_runs_goes_on(workers: Workers, tmp_path: Path) -> None:
    worker = workers.start("--queue", "high")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "it runs")
    pause("high")
    wait_until(lambda: worker.events("pool.paused"), "paused")
    (tmp_path / "release").touch()
    [done] = wait_final(job.id)
    assert done.status == Status.COMPLETED


@pytest.mark.usefixtures("silent")
def test_without_a_signal_the_next_heartbeat_sees_it(workers: Workers) -> None:
    worker = workers.start("--queue", "high", WAKEUP_NOTIFY="False", JOB_LEASE_SECONDS="2")
    pause("high")
    wait_until(lambda: worker.events("pool.paused"), "seen")
    job = noop(9)
    resume("high")
    wait_final(job.id)


def test_a_pause_outlives_a_restart(workers: Workers) -> None:
    worker = workers.start("--queue", "high", "--queue", "low")
    pause("high")
    wait_until(lambda: worker.events("pool.paused"), "paused")
    worker.process.kill()
    worker.wait()
    WorkerProcess.objects.all().delete()
    job = noop(9)
    again = workers.start("--queue", "high", "--queue", "low", JOB_LEASE_SECONDS="600")
    wait_final(noop(1).id)
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert not [one for one in again.events("job.started") if one["pool"] == "high"]
    resume("high")
    wait_final(job.id)


def test_a_paused_pool_with_once_exits(workers: Workers) -> None:
    pause("low")
    job = noop(1)
    worker = workers.start("--queue", "low", "--once", ready=False)
    assert worker.wait() == 0
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_a_paused_process_can_be_stopped(workers: Workers) -> None:
    pause("high")
    worker = workers.start("--queue", "high")
    worker.process.terminate()
    assert worker.wait() == 0


def test_a_drained_process_finishes_what_it_has_and_exits_with_0(
    workers: Workers, tmp_path: Path
) -> None:
    drained = workers.start("--queue", "high", WORKER_GRACE_SECONDS="600", JOB_LEASE_SECONDS="600")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "it runs")
    [name] = WorkerProcess.objects.values_list("name", flat=True)
    assert drain(name)
    wait_until(lambda: drained.events("worker.draining"), "draining")
    other = workers.start("--queue", "high")
    assert drained.process.poll() is None
    (tmp_path / "release").touch()
    assert drained.wait() == 0
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    wait_final(noop(9).id)
    assert other.process.poll() is None
    assert not WorkerProcess.objects.filter(name=name).exists()
