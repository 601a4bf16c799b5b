"""The database goes away under running workers: nothing is lost, nothing is done twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from jobs.models import Job, JobMetrics
from jobs.queue.signal import announcer
from jobs.queue.submit import NewJob, submit, submit_many
from jobs.states import Status
from mediaproc import embedded_postgres
from mediaproc.embedded_postgres import Server
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = pytest.mark.processes


@pytest.fixture
def server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[Server]:
    """A migrated PostgreSQL of this test alone, which Django uses meanwhile."""
    database = connections.settings["default"]
    announcer.close()
    connection.close()
    own = embedded_postgres.start(tmp_path / "postgres")
    before = database["NAME"], database["OPTIONS"]
    database["NAME"] = own.database
    database["OPTIONS"] = {**before[1], "host": own.host, "port": own.port}
    with django_db_blocker.unblock():
        try:
            call_command("migrate", verbosity=0)
            yield own
        finally:
            announcer.close()
            connection.close()
            database["NAME"], database["OPTIONS"] = before
            own.stop()
            embedded_postgres.remove(own.root)


@pytest.fixture
def busy(server: Server, tmp_path: Path) -> Iterator[Workers]:
    """Workers on that server."""
    started = Workers(server.url, tmp_path)
    yield started
    started.kill_all()


def recovered(worker: WorkerUnderTest) -> bool:
    """As often as it lost the database."""
    return len(worker.events("database.lost")) == len(worker.events("database.recovered"))


def test_immediate_restarts_under_load_lose_nothing(server: Server, busy: Workers) -> None:
    started = [busy.start("--queue", "high", "--queue", "low") for _ in range(2)]
    ids = submit_many(NewJob("noop", priority=number % 11) for number in range(3000))
    for done in (200, 1200):
        wait_until(
            lambda done=done: JobMetrics.objects.count() >= done,  # type: ignore[misc]
            f"{done} jobs done",
            seconds=120,
        )
        connection.close()
        server.restart("immediate")
    jobs = wait_final(*ids, seconds=90)
    assert {job.status for job in jobs} == {Status.COMPLETED}
    assert JobMetrics.objects.count() == len(ids)
    for worker in started:
        assert worker.process.poll() is None
        events = Counter(line["event"] for line in worker.events())
        assert events["database.lost"] <= 2
        wait_until(lambda worker=worker: recovered(worker), "it has recovered each time")  # type: ignore[misc]
        assert "Traceback" not in worker.output()


def test_a_running_job_finishes_when_the_database_returns(
    server: Server, busy: Workers, tmp_path: Path
) -> None:
    worker = busy.start("--queue", "high", JOB_LEASE_SECONDS="10")
    job = submit(NewJob("hold", parameters={"folder": str(tmp_path)}, priority=9))
    wait_until(lambda: list(tmp_path.glob(f"{job.id}.*")), "started")
    connection.close()
    with server.outage():
        wait_until(lambda: worker.events("database.lost"), "the worker notices")
        (tmp_path / "release").touch()
        wait_until(lambda: worker.events("job.ended"), "the work ends meanwhile")
    [done] = wait_final(job.id)
    assert (done.status, done.lost_leases, done.attempt) == (Status.COMPLETED, 0, 1)
    assert len(list(tmp_path.glob(f"{job.id}.*"))) == 1
    assert Job.objects.count() == JobMetrics.objects.count() == 1
