"""Server processes that are stopped: what is sent to them is acknowledged and never answered."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db import connection

from jobs.models import CLOCK, Job, WorkerProcess
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="the server may be elsewhere"),
]

LEASE_SECONDS = 4.0


class Stopped:
    """Backends that are stopped until the test ends."""

    def __init__(self) -> None:
        self.pids: set[int] = set()

    def stop(self, *queries: str) -> None:
        """Stop all backends of workers whose last statement has one of these words, once all of
        them are idle."""
        found = wait_until(lambda: self._idle(*queries), "they are idle")
        for pid in found:
            psutil.Process(pid).suspend()
        self.pids |= found

    def _idle(self, *queries: str) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE 'mediaproc%%' AND pid <> pg_backend_pid()"
                " AND query ~ %s",
                ["|".join(queries)],
            )
            found = dict(cursor.fetchall())
        return set(found) if set(found.values()) == {"idle"} else set()

    def end(self) -> None:
        """Let them go on."""
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue


@pytest.fixture
def stopped() -> Iterator[Stopped]:
    """See Stopped."""
    backends = Stopped()
    yield backends
    backends.end()


def hung(worker: WorkerUnderTest) -> set[str]:
    """The threads of which the worker said that their connection hung."""
    return {event["hung_thread"] for event in worker.events("connection.hung")}


def test_a_heartbeat_whose_connection_hangs_keeps_its_leases(
    workers: Workers, stopped: Stopped, tmp_path: Path
) -> None:
    worker = workers.start("--queue", "high", JOB_LEASE_SECONDS=str(LEASE_SECONDS))
    job = submit(NewJob("hold", priority=9, parameters={"folder": str(tmp_path)}))
    wait_until(lambda: Job.objects.filter(id=job.id, progress=0.5).exists(), "progress is written")
    before = Job.objects.get(id=job.id)
    assert before.lease_expires_at is not None
    stopped.stop("jobs_workerprocess", "unnest")
    wait_until(lambda: "heartbeat" in hung(worker), "it is noticed")
    much_later = before.lease_expires_at + timedelta(seconds=2 * LEASE_SECONDS)
    wait_until(
        lambda: Job.objects.filter(id=job.id, lease_expires_at__gt=much_later).exists(),
        "the lease is renewed again and again",
    )
    (tmp_path / "release").touch()
    [after] = wait_final(job.id)
    assert (after.status, after.lost_leases) == (Status.COMPLETED, 0)
    assert after.lease == before.lease
    assert not worker.events("lease.lost")


def test_a_worker_all_of_whose_connections_hang_goes_on(workers: Workers, stopped: Stopped) -> None:
    worker = workers.start("--queue", "high")
    first = submit(NewJob("noop", priority=9))
    wait_final(first.id)
    wait_until(
        lambda: WorkerProcess.objects.filter(wakeup__postgresql="up").exists(), "the listener is up"
    )
    stopped.stop("")
    ids = submit_many(NewJob("noop", priority=9) for _ in range(50))
    jobs = wait_final(*ids, seconds=120)
    assert {job.status for job in jobs} == {Status.COMPLETED}
    assert {job.lost_leases for job in jobs} == {0}
    wait_until(lambda: "maintenance" in hung(worker), "maintenance is freed")
    wait_until(lambda: "wakeup-postgresql" in hung(worker), "the listener is freed")
    wait_until(lambda: len(worker.events("wakeup.recovered")) == 1, "the listener is back")
    assert any(name.startswith("high-") for name in hung(worker))
    assert "Traceback" not in worker.output()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0


def test_what_could_not_be_renewed_is_not_claimed(workers: Workers) -> None:
    workers.start("--queue", "high")
    wait_final(submit(NewJob("noop", priority=9)).id)
    with psycopg.connect(workers.database_url) as locking:
        # The heartbeat cannot say that its process lives; all else works.
        locking.execute("SELECT FROM jobs_workerprocess FOR UPDATE")
        wait_until(
            lambda: WorkerProcess.objects.filter(seen_at__lt=_ago(LEASE_SECONDS)).exists(),
            "its last renewal is older than a lease",
        )
        job = submit(NewJob("noop", priority=9))
        wait_until(
            lambda: Job.objects.filter(id=job.id, created_at__lt=_ago(1.5)).exists(),
            "several polls are over",
        )
        job.refresh_from_db()
        assert job.status == Status.QUEUED
    [done] = wait_final(job.id)
    assert done.status == Status.COMPLETED


def _ago(seconds: float) -> Any:
    return CLOCK - timedelta(seconds=seconds)
