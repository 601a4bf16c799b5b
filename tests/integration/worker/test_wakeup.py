"""Signals wake workers at once; each may die, hang or be flushed, and polling goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from jobs.models import WorkerProcess
from jobs.queue import redis_signal
from jobs.queue.signal import announcer
from jobs.queue.submit import NewJob, submit
from tests.redis_server import RedisServer
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

FOREVER = "3600"  # a poll interval that no test waits for
OFTEN = "0.5"


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[RedisServer]:
    """A running Redis server, which this process announces to instead of NOTIFY."""
    announcer.close()
    server = RedisServer(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    settings.WAKEUP_NOTIFY = False
    yield server
    server.kill()
    announcer.close()


@pytest.fixture
def silent(settings: Settings) -> Iterator[None]:
    """This process announces nothing."""
    announcer.close()
    settings.WAKEUP_NOTIFY = False
    settings.REDIS_URL = ""
    yield
    announcer.close()


def state(signal_name: str) -> str | None:
    """What the worker last said of a signal."""
    process = WorkerProcess.objects.first()
    return process.wakeup.get(signal_name) if process else None


def idle(worker: WorkerUnderTest) -> None:
    """Wait until the worker has looked at the empty queue and listens."""
    wait_until(lambda: "up" in (state("postgresql"), state("redis")), "listening")
    wait_final(submit(NewJob("noop", priority=9)).id)


def listening_backends() -> list[int]:
    """Server processes that serve a LISTEN of a worker on the test database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'mediaproc listener'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_notify_wakes_an_idle_worker(workers: Workers) -> None:
    worker = workers.start("--queue", "high", WORKER_POLL_SECONDS=FOREVER, JOB_LEASE_SECONDS="1")
    idle(worker)
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(20)))


def test_a_lost_listener_falls_back_to_polling_and_recovers(workers: Workers) -> None:
    worker = workers.start("--queue", "high", WORKER_POLL_SECONDS=OFTEN, JOB_LEASE_SECONDS="1")
    idle(worker)
    with connection.cursor() as cursor:
        for pid in wait_until(listening_backends, "a listening backend"):
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    wait_until(lambda: worker.events("wakeup.lost"), "the loss is logged")
    wait_final(submit(NewJob("noop", priority=9)).id)
    wait_until(lambda: worker.events("wakeup.recovered"), "it listens again")
    assert len(worker.events("wakeup.lost")) == 1
    assert not worker.events("database.lost")


@pytest.mark.usefixtures("silent")
def test_polling_alone_is_correct(workers: Workers) -> None:
    workers.start("--queue", "high", WORKER_POLL_SECONDS=OFTEN, WAKEUP_NOTIFY="False")
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(5)))
    assert WorkerProcess.objects.get().wakeup == {}


def redis_worker(workers: Workers, redis: RedisServer, poll: str) -> WorkerUnderTest:
    """A worker that is woken by Redis alone."""
    worker = workers.start(
        "--queue",
        "high",
        WORKER_POLL_SECONDS=poll,
        WAKEUP_NOTIFY="False",
        REDIS_URL=redis.url,
        JOB_LEASE_SECONDS="1",
    )
    wait_until(lambda: redis.subscribers(redis_signal.channel()) == 1, "subscribed")
    return worker


def test_redis_wakes_an_idle_worker_also_after_a_flush(
    workers: Workers, redis: RedisServer
) -> None:
    worker = redis_worker(workers, redis, FOREVER)
    idle(worker)
    redis.flush()
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(20)))


def test_a_killed_redis_falls_back_to_polling_and_recovers(
    workers: Workers, redis: RedisServer
) -> None:
    worker = redis_worker(workers, redis, OFTEN)
    idle(worker)
    redis.kill()
    wait_until(lambda: worker.events("wakeup.lost"), "the loss is logged")
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(5)))
    redis.start()
    wait_until(lambda: worker.events("wakeup.recovered"), "it listens again")
    wait_until(lambda: state("redis") == "up", "and says so")
    assert len(worker.events("wakeup.lost")) == 1


def test_a_hanging_redis_holds_nobody_up(workers: Workers, redis: RedisServer) -> None:
    worker = redis_worker(workers, redis, OFTEN)
    idle(worker)
    redis.send(signal.SIGSTOP)
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(5)))
    wait_until(lambda: worker.events("wakeup.lost"), "the hang is noticed")
    redis.send(signal.SIGCONT)
    wait_until(lambda: worker.events("wakeup.recovered"), "it listens again")


def test_without_the_redis_package_nothing_breaks(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ImportError('No module named redis')")
    worker = workers.start("--queue", "high", PYTHONPATH=str(tmp_path))
    wait_final(submit(NewJob("noop", priority=9)).id)
    assert "redis" not in worker.output()


def test_a_redis_address_without_the_package_is_said_once(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ImportError('No module named redis')")
    worker = workers.start(
        "--queue",
        "high",
        PYTHONPATH=str(tmp_path),
        REDIS_URL="redis://127.0.0.1:1/0",
        WORKER_POLL_SECONDS=OFTEN,
    )
    wait_final(*(submit(NewJob("noop", priority=9)).id for _ in range(5)))
    [lost] = worker.events("wakeup.lost")
    assert "No module named redis" in lost["error"]
    assert "Traceback" not in worker.output()


def test_behind_a_pooler_a_worker_polls_or_listens_directly(workers: Workers) -> None:
    polling = workers.start("--queue", "high", PGBOUNCER="True", WORKER_POLL_SECONDS=OFTEN)
    wait_final(submit(NewJob("noop", priority=9)).id)
    assert WorkerProcess.objects.get().wakeup == {}
    polling.send(signal.SIGTERM)
    assert polling.wait() == 0
    workers.start(
        "--queue",
        "high",
        PGBOUNCER="True",
        LISTEN_DATABASE_URL=workers.database_url,
        WORKER_POLL_SECONDS=FOREVER,
        JOB_LEASE_SECONDS="1",
    )
    wait_until(lambda: state("postgresql") == "up", "listening past the pooler")
    wait_final(submit(NewJob("noop", priority=9)).id)
