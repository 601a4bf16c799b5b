"""A claim beside others that are under way: what they are taking costs it little and is not lost.

See docs/adr/0014-many-processes.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection

from jobs.queue.claim import Demand, Position
from jobs.queue.step import EVERYTHING, step
from jobs.queue.submit import NewJob, submit_many
from tests.explained import claims, explained
from tests.rows import claim_one, new_job
from tests.waiting import wait_until
from tests.workers import database_url

pytestmark = pytest.mark.django_db(transaction=True)

# One priority: PostgreSQL 15 tells the rows of a plan's node as a rounded mean of its loops.
FIVE = Demand(5, 5, "test", 30.0)
OTHERS = 100
WANT = 20
# Before all jobs, and yet a bound: not a look at everything.
BOUND = {5: Position("2000-01-01", "00000000-0000-0000-0000-000000000000")}


@contextmanager
def transaction() -> Iterator[psycopg.Connection[Any]]:
    """One in another session that has written something and is rolled back at the end."""
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield other
        other.rollback()


def take(other: psycopg.Connection[Any], want: int) -> None:
    """A claim of so many that does not commit."""
    other.execute("SELECT jobs_claim(5, '{-infinity}', %s::uuid[], %s, 'other', 9)",
                  [[BOUND[5].job_id], want])  # fmt: skip


def none_runs() -> bool:
    """No transaction that writes; the server's own do now and then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(now) = pg_snapshot_xmax(now)"
                       " FROM pg_current_snapshot() AS now")  # fmt: skip
        return bool(cursor.fetchone()[0])


def test_it_tries_no_row_that_another_is_taking() -> None:
    ids = submit_many(NewJob("noop", priority=5) for _ in range(OTHERS + WANT))
    with transaction() as other:
        take(other, OTHERS)
        with explained() as costs:
            claimed = step([], FIVE, WANT, BOUND).claimed
    [cost] = claims(costs)
    assert [one.job_id for one in claimed] == ids[OTHERS:]
    assert cost.tried == WANT


def test_a_look_at_everything_tries_them_all() -> None:
    submit_many(NewJob("noop", priority=5) for _ in range(OTHERS + WANT))
    with transaction() as other:
        take(other, OTHERS)
        with explained() as costs:
            assert len(step([], FIVE, WANT, EVERYTHING).claimed) == WANT
    [cost] = claims(costs)
    assert cost.tried == OTHERS + WANT


def test_what_another_took_and_gave_up_is_found_beside_an_older_transaction() -> None:
    job = new_job()
    with transaction():
        with transaction() as other:
            take(other, 1)
        # Its claim may still run, as far as this one can tell.
        assert step([], FIVE, 1, BOUND).claimed == []
        assert claim_one().job_id == job.id


def test_what_another_took_and_gave_up_keeps_its_turn() -> None:
    first, _ = new_job(), new_job()
    with transaction() as other:
        take(other, 1)
    wait_until(none_runs, "no older transaction runs")
    [claimed] = step([], FIVE, 1, BOUND).claimed
    assert claimed.job_id == first.id


def test_a_row_that_was_locked_and_left_as_it_was_keeps_its_turn() -> None:
    """As a foreign key locks the row it points to."""
    first, _ = new_job(), new_job()
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT FROM jobs_job WHERE id = %s FOR KEY SHARE", [first.id])
    wait_until(none_runs, "no older transaction runs")
    [claimed] = step([], FIVE, 1, BOUND).claimed
    assert claimed.job_id == first.id
