"""What every measurement runs on: a PostgreSQL of its own, migrated, with durable commits."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import sql

from mediaproc import embedded_postgres

PROJECT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
    "DEBUG": "False",
    "SECRET_KEY": "of-the-benchmark-" * 4,
    "ALLOWED_HOSTS": "127.0.0.1",
    "SECURE_SSL_REDIRECT": "False",
    "LOG_LEVEL": "WARNING",
    "PROCESSORS": "jobs.processors.simulate.simulate,jobs.processors.transcode.transcode,"
    "bench.processors.noop,bench.processors.stamp",
}

NO_CHECKPOINTS = {"max_wal_size": "16GB", "checkpoint_timeout": "1h"}
# It comes once a minute and takes about a second of a processor beside a million rows: of a drain
# of some seconds that is an eighth or nothing. VACUUM ANALYZE before each drain does its work.
NO_AUTOVACUUM = {"autovacuum_naptime": "1h"}


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def postgres(**settings: str) -> Iterator[tuple[Path, embedded_postgres.Server]]:
    """A folder for this run, and a PostgreSQL in it with the settings that it comes with.

    Only no checkpoint comes by itself: it would slow down whoever's turn it falls into. settings:
    more of the server's that are changed.
    """
    with tempfile.TemporaryDirectory(prefix="mediaproc-bench-") as folder:
        root = Path(folder) / "postgres"
        server = embedded_postgres.start(root)
        try:
            _configure(server, {**NO_CHECKPOINTS, **settings})
            yield Path(folder), server
        finally:
            server.stop()
            embedded_postgres.remove(root)


@contextmanager
def prepared(**server_settings: str) -> Iterator[Path]:
    """A folder for this run; the environment points Django at a fresh database. Imports Django."""
    with postgres(**server_settings) as (folder, server):
        os.environ.update(SETTINGS, DATABASE_URL=server.url)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from jobs.queue.signal import announcer

        call_command("migrate", verbosity=0)
        try:
            yield folder
        finally:
            announcer.close()
            connection.close()


def _configure(server: embedded_postgres.Server, settings: Mapping[str, str]) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value)
            )
    server.restart()


@contextmanager
def worker(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `run_workers` process that serves."""
    with serving(["manage.py", "run_workers", *arguments], environment) as process:
        yield process


@contextmanager
def serving(
    program: list[str], environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[bytes]]:
    """The same for what Python is to run: `program`."""
    process = subprocess.Popen(
        [sys.executable, *program], cwd=PROJECT, env={**os.environ, **environment}
    )
    try:
        from jobs.models import WorkerProcess
        from tests.waiting import wait_until

        wait_until(
            lambda: WorkerProcess.objects.filter(name__endswith=f":{process.pid}").exists(),
            "the worker serves",
            seconds=60,
        )
        yield process
    finally:
        process.terminate()
        process.wait(30)


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99, rounded to a hundredth."""
    ordered = sorted(values)
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 2)
        for share in (50, 95, 99)
    }
