"""Migrations go forwards and backwards, match the models, and bring the queue's functions."""

import pytest
from django.core.management import call_command
from django.db import connection

from jobs.queue.functions import FUNCTIONS
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


def test_functions_are_those_of_the_code() -> None:
    for name, path in FUNCTIONS.items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name])
            [(source,)] = cursor.fetchall()
        assert source.strip() in path.read_text()
