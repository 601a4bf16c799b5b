"""Migrating a table of a million jobs keeps no submission waiting for long, and statistics are
answered throughout."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from jobs.queue.database import direct_parameters
from jobs.states import Status
from jobs.stats.statistics import counts
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = 1_000_000
BEFORE = "0004_full_pages"
# Shorter than a reader's transaction, behind which nobody may wait, and work on a million rows.
# Longer than what Django computes under the lock, also on a busy and slow processor.
LONGEST_WAIT = "3s"

_FILL = """
INSERT INTO jobs_job (id, job_type, source_file, target_format, status, queued_at, started_at,
                      completed_at, attempt, lease)
SELECT lpad(to_hex(number), 32, '0')::uuid, 'noop', 'a.mp4', 'avi', 'COMPLETED', now(), now(),
       now(), 1, number
FROM generate_series(1, %s) AS number
"""
# As the release before writes it.
_SUBMIT = """
INSERT INTO jobs_job (id, job_type, source_file, target_format, parameters, priority, max_attempts,
                      created_at, status, queued_at)
VALUES (%s, 'noop', 'a.mp4', 'avi', '{}', 5, 3, clock_timestamp(), 'QUEUED', clock_timestamp())
"""


@pytest.fixture
def million() -> Iterator[None]:
    """The schema before, full; the newest one again afterwards."""
    call_command("migrate", "jobs", BEFORE, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [JOBS])
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_job, jobs_jobmetrics")
    call_command("migrate", verbosity=0)


class Beside(threading.Thread):
    """Does something on a connection of its own, again and again, until it is stopped."""

    def __init__(self, do: Callable[[psycopg.Connection[Any]], object], **options: Any) -> None:
        super().__init__(daemon=True)
        self._do = do
        self._options = options
        self.stopping = threading.Event()
        self.done = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(**direct_parameters(**self._options), autocommit=True) as own:
                while not self.stopping.is_set():
                    self._do(own)
                    self.done += 1
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        self.stopping.set()
        self.join(timeout=60)


def submit(own: psycopg.Connection[Any]) -> None:
    own.execute(_SUBMIT, [uuid4()])


def read_for_a_while(own: psycopg.Connection[Any]) -> None:
    """A report that keeps the table in use: the lock of a migration has to wait for its end."""
    with own.transaction():
        own.execute("SELECT 1 FROM jobs_job LIMIT 1")
        own.execute("SELECT pg_sleep(4)")
    time.sleep(1.5)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("million")
def test_submissions_go_on() -> None:
    """A submission that waits so long for a lock fails."""
    submitter = Beside(submit, options=f"-c lock_timeout={LONGEST_WAIT}")
    reader = Beside(read_for_a_while)
    submitter.start()
    reader.start()
    try:
        call_command("migrate", verbosity=0)
        during = submitter.done
    finally:
        submitter.stop()
        reader.stop()

    assert submitter.error is None
    assert reader.error is None
    assert during > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE name = '') FROM jobs_job")
        assert cursor.fetchone() == (JOBS + submitter.done, JOBS + submitter.done)
        cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchone() == (0,)


# As processes of the release before read and add up what had ended.
_COUNT = "SELECT sum(jobs) FROM jobs_jobrollup"
_ADD = """
INSERT INTO jobs_jobrollup AS rollup (begins_at, seconds, priority, job_type, owner_id, status,
                                      jobs, wait_seconds, run_seconds, waits, runs)
VALUES (date_trunc('hour', now()) - interval '3 hours', 3600, 5, 'noop', NULL, 'COMPLETED', 3, 3, 0,
        '{3}', '{3}')
ON CONFLICT (begins_at, seconds, priority, job_type, owner_id, status)
DO UPDATE SET jobs = rollup.jobs + excluded.jobs
"""


@pytest.fixture
def rolled_up() -> Iterator[None]:
    """Rollups, as they were before the running totals; the newest schema again afterwards."""
    call_command("migrate", "jobs", "0014", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(_ADD)
        cursor.execute("INSERT INTO jobs_rollupmark (id, reached) VALUES (1, now())")
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.usefixtures("rolled_up")
def test_statistics_of_the_release_before_are_answered_until_it_is_replaced() -> None:
    """And what it adds up it takes back, for the totals count that."""
    told = set()
    reader = Beside(lambda own: told.add(own.execute(_COUNT).fetchone()))
    reader.start()
    try:
        call_command("migrate", verbosity=0)
        during = reader.done
        wait_until(lambda: reader.done > during or reader.error, "statistics after the migration")
    finally:
        reader.stop()

    assert reader.error is None
    assert told == {(3,)}
    with pytest.raises(IntegrityError, match="rollups_are_frozen"), connection.cursor() as cursor:
        cursor.execute(_ADD)
    assert counts()[Status.COMPLETED].jobs == 3

    call_command("migrate", "jobs", "0014", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(_ADD)
        cursor.execute(_COUNT)
        assert cursor.fetchone() == (3,)
