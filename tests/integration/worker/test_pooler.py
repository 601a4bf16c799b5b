"""Workers behind a real PgBouncer in transaction mode."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from jobs.models import Job, WorkerProcess
from jobs.queue.submit import NewJob, submit_many
from jobs.states import Status
from tests.service import free_port
from tests.waiting import wait_until
from tests.workers import Workers, database_url, wait_final

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed"),
]

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


@pytest.fixture
def pooled_url(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """DATABASE_URL of the test database through a pooler with three connections."""
    address = urlsplit(database_url())
    options = parse_qs(address.query)
    own_port = free_port()
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=options["host"][0],
            port=options["port"][0],
            user=address.username,
            own_port=own_port,
        )
    )
    url = f"postgresql://{address.username}@127.0.0.1:{own_port}{address.path}"
    with subprocess.Popen(_command(configuration, Path(options["host"][0]))) as pooler:
        try:
            wait_until(lambda: _answers(url), "the pooler answers")
            yield url
        finally:
            pooler.kill()


def _command(configuration: Path, sockets: Path) -> list[str]:
    """pgbouncer does not run as root: then it runs as the owner of the server's socket."""
    if os.geteuid() != 0:
        return ["pgbouncer", "--quiet", str(configuration)]
    owner = pwd.getpwuid(sockets.stat().st_uid).pw_name
    for folder in (configuration.parent, *configuration.parent.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return ["pgbouncer", "--quiet", f"--user={owner}", str(configuration)]


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=10):
            return True
    except psycopg.OperationalError:
        return False


def test_workers_with_more_threads_than_the_pooler_has_connections(
    workers: Workers, pooled_url: str
) -> None:
    direct = workers.database_url
    workers.database_url = pooled_url
    started = [
        workers.start(
            "--queue",
            "high",
            "--queue",
            "low",
            PGBOUNCER="True",
            LISTEN_DATABASE_URL=direct,
        )
        for _ in range(2)
    ]
    wait_until(
        lambda: {one.wakeup.get("postgresql") for one in WorkerProcess.objects.all()} == {"up"},
        "both listen past the pooler",
    )
    ids = submit_many(NewJob("noop", priority=number % 11) for number in range(500))
    jobs = wait_final(*ids)
    assert {job.status for job in jobs} == {Status.COMPLETED}
    assert Job.objects.filter(metrics__isnull=True).count() == 0
    for worker in started:
        assert "Traceback" not in worker.output()
        assert not worker.events("database.lost")
