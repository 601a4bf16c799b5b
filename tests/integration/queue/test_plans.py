"""The hot statements keep to their indexes, also with stale statistics and a big table."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from django.db import connection

from jobs.models import JobAttempt
from jobs.outcomes import Retry
from jobs.queue.cancel import cancel, requested
from jobs.queue.due import seconds_until_due
from jobs.queue.expire import expire
from jobs.queue.lease import heartbeat
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.queue.step import step
from jobs.queue.submit import NewJob, submit_many
from tests.rows import ALL, claim, finished

pytestmark = pytest.mark.django_db(transaction=True)

FINISHED_ROWS = 20_000
QUEUED_ROWS = 2_000


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """The plans of all statements that this connection runs, nested ones too, as they are run."""
    submit_many(NewJob("noop", priority=number % 11) for number in range(QUEUED_ROWS))
    with connection.cursor() as cursor:
        # Finished rows, as a long life leaves them; written past the queue because it is history.
        cursor.execute(
            "INSERT INTO jobs_job (id, job_type, source_file, target_format, priority, status,"
            " queued_at, started_at, completed_at, attempt)"
            " SELECT gen_random_uuid(), 'noop', '', '', n %% 11, 'COMPLETED',"
            " now(), now(), now(), 1"
            " FROM generate_series(1, %s) AS n",
            [FINISHED_ROWS],
        )
        cursor.execute("LOAD 'auto_explain'")
        cursor.execute("SET auto_explain.log_min_duration = 0")
        cursor.execute("SET auto_explain.log_nested_statements = on")
        cursor.execute("SET client_min_messages = log")
    seen: list[str] = []

    def keep(message: psycopg.errors.Diagnostic) -> None:
        seen.append(message.message_primary or "")

    connection.connection.add_notice_handler(keep)
    yield seen
    connection.close()


def nodes(plans: list[str], table: str = "jobs_job") -> list[str]:
    """The scans of a table in these plans."""
    return [
        line.strip().removeprefix("->").strip().split("  (")[0]
        for plan in plans
        for line in plan.splitlines()
        if " on " + table in line and "Scan" in line
    ]


def test_a_claim_reads_its_partial_index_and_nothing_else(plans: list[str]) -> None:
    assert len(claim(10)) == 10
    scans = nodes(plans)
    assert scans == ["Index Scan using job_claim on jobs_job", "Tid Scan on jobs_job job_1"], plans


def test_a_claim_with_ageing_reads_the_same_index(plans: list[str]) -> None:
    assert len(claim(10, replace(ALL, ageing_seconds=60.0))) == 10
    scans = [scan for scan in nodes(plans) if not scan.startswith("Tid Scan")]
    assert {scan.split(" using ")[1] for scan in scans} == {"job_claim on jobs_job"}, plans


def test_a_finish_looks_up_its_rows_by_key(plans: list[str]) -> None:
    claimed = claim(20)
    plans.clear()
    step([finished(job) for job in claimed], ALL, 0)
    scans = nodes(plans)
    assert scans, plans
    assert all(scan.startswith("Index Scan using jobs_job_pkey") for scan in scans), scans
    assert "Index Cond: (id = ANY (ARRAY[c.id]))" in plans[0]


def test_a_finish_keeps_to_the_key_when_the_table_was_small(plans: list[str]) -> None:
    """Statistics of a table that is nearly empty, with nothing running, invite a full scan."""
    claimed = claim(20)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job WHERE status <> 'IN_PROGRESS'")
        cursor.execute("DELETE FROM jobs_job WHERE id <> %s", [claimed[0].job_id])
        cursor.execute("VACUUM ANALYZE jobs_job")
    plans.clear()
    step([finished(claimed[0])], ALL, 0)
    assert nodes(plans) == ["Index Scan using jobs_job_pkey on jobs_job job"], plans
    assert "Index Cond: (id = ANY (ARRAY[c.id]))" in plans[0]


def test_a_failed_attempt_looks_up_its_row_by_key_and_records_it(plans: list[str]) -> None:
    claimed = claim(20)
    plans.clear()
    step([finished(job, Retry("busy")) for job in claimed], ALL, 0)
    # The second is of what never began, and not executed here.
    before, own = sorted(nodes(plans))
    assert own == "Index Scan using jobs_job_pkey on jobs_job job", plans
    assert before.startswith("Index Scan using attempt_of_job"), plans
    assert JobAttempt.objects.count() == 20


def test_what_expires_is_found_by_its_index(plans: list[str]) -> None:
    submit_many(NewJob("noop", expires_in=-1.0) for _ in range(10))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    plans.clear()
    assert len(expire()) == 10
    assert "Index Scan using job_expire on jobs_job" in nodes(plans), plans
    assert not [scan for scan in nodes(plans) if scan.startswith("Seq Scan")], plans


def test_the_maintenance_reads_partial_indexes(plans: list[str]) -> None:
    claimed = claim(20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    plans.clear()
    rescue(30.0, 3)
    promote()
    seconds_until_due()
    held = {job.lease: job.job_id for job in claimed}
    heartbeat(held, 30.0)
    cancel(claimed[0].job_id)
    assert requested(held) == {claimed[0].lease}
    scans = nodes(plans)
    assert scans, plans
    assert not [scan for scan in scans if scan.startswith("Seq Scan")], scans
