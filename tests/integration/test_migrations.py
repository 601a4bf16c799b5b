"""Migrations go forwards and backwards, match the models, and bring the queue's functions."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jobs.models import JobTotal
from jobs.queue.functions import FUNCTIONS
from jobs.states import Status
from jobs.stats.ended import NOBODY
from jobs.stats.rollup import roll_up
from jobs.stats.statistics import counts, statistics
from jobs.stats.totals import EVERYBODY
from jobs.stats.waiting import Count
from tests.rows import claim_one, new_job

pytestmark = pytest.mark.django_db(transaction=True)


def installed() -> set[str]:
    """The functions of the queue that the database has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'jobs\\_%%'")
        return {name for (name,) in cursor.fetchall()}


def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_back_to_nothing_and_forth_again() -> None:
    assert installed() == set(FUNCTIONS)
    call_command("migrate", "jobs", "zero", verbosity=0)
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'jobs_lease'")
        assert cursor.fetchone() == (0,)
    assert not [table for table in tables if table.startswith("jobs_")]
    assert installed() == set()
    call_command("migrate", verbosity=0)
    assert installed() == set(FUNCTIONS)
    job = new_job()
    assert claim_one().job_id == job.id


def test_totals_are_made_of_rollups_and_go_on_from_them() -> None:
    """As on a server that has run for some days."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    call_command("migrate", "jobs", "0014", verbosity=0)
    with connection.cursor() as cursor:
        for owner, begins_at, seconds, jobs in (
            (None, hour - timedelta(days=9), 3600, 5),
            (7, hour - timedelta(days=9), 3600, 3),
            (7, hour - timedelta(hours=9), 60, 2),
        ):
            cursor.execute(
                "INSERT INTO jobs_jobrollup (owner_id, begins_at, seconds, priority, job_type,"
                " status, jobs, wait_seconds, run_seconds, waits, runs)"
                " VALUES (%s, %s, %s, 5, 'noop', 'COMPLETED', %s, %s, %s, %s, %s)",
                [owner, begins_at, seconds, jobs, jobs, jobs, [jobs], [0] * jobs + [jobs]],
            )
        cursor.execute(
            "INSERT INTO jobs_rollupmark (id, reached) VALUES (1, %s)", [hour - timedelta(hours=1)]
        )
    call_command("migrate", verbosity=0)
    for owner, jobs, lately in ((None, 10, 2), (NOBODY, 5, 0), (7, 5, 2)):
        assert counts(owner)[Status.COMPLETED] == Count(jobs)
        assert statistics(86_400.0, owner=owner).overall.jobs == lately
    assert statistics(10 * 86_400.0).overall.wait.mean == 1.0
    runs = JobTotal.objects.filter(owner_id=EVERYBODY).latest("until").runs
    assert runs == [0, 0, 2, 3, 0, 5]
    while roll_up():
        pass
    assert counts()[Status.COMPLETED] == Count(10)


def test_functions_are_those_of_the_code() -> None:
    for name, path in FUNCTIONS.items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name])
            [(source,)] = cursor.fetchall()
        assert source.strip() in path.read_text()
