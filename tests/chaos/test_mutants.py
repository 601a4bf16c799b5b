"""Every known bug can still be put back: the texts that it changes are where it looks for them."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.db import connection

from tests.chaos.mutants import MUTANTS
from tests.service import PROJECT

_PUT_BACK = """
import sys, django
django.setup()
from tests.chaos.mutants import MUTANTS
MUTANTS[sys.argv[1]].in_worker()
"""


@pytest.mark.django_db
@pytest.mark.parametrize("name", MUTANTS)
def test_it_is_put_back_in_the_database(name: str) -> None:
    if name == "asynchronous-commit":
        pytest.skip("it changes a setting of a whole database")
    connection.ensure_connection()
    raw = connection.connection
    assert isinstance(raw, psycopg.Connection)
    MUTANTS[name].in_database(raw)


@pytest.mark.parametrize("name", MUTANTS)
def test_it_is_put_back_in_a_worker(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PUT_BACK, name],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
