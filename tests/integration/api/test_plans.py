"""What a page of a list costs depends on the page alone: on how many jobs it shows and looks at.

Others have many newer jobs, and the statistics of the table are of before there were any.
"""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounts.scopes import ADMIN, READ
from jobs.admin import read_only
from jobs.api import pages, walks
from jobs.queue.database import direct_parameters
from jobs.queue.submit import NewJob, submit
from tests.accounts import ClientOf
from tests.explained import explained
from tests.integration.api.asking import problem_of

JOBS = "/api/v1/jobs"
DELIVERIES = "/api/v1/webhooks/deliveries"
PAGE, LOOKED_AT = 20, 500
HERS, NEWER = 20_000, 40_000
# The row of each job and its metrics, by their keys. Everything would be tens of thousands.
SHOWN = 8 * PAGE
# The entry of each job that is looked at, and twice its row.
ALSO_LOOKED_AT = 3 * LOOKED_AT + SHOWN

_FILL = """
WITH made AS (
  INSERT INTO jobs_job (id, job_type, source_file, target_format, status, owner_id, parent_id,
    queued_at, started_at, completed_at, attempt, lease, error_code, error_message)
  SELECT (lpad(to_hex(%(first)s + number), 12, '0') || '70008000000000000000')::uuid,
    CASE WHEN number %% 9999 = 0 THEN 'rare' ELSE 'noop' END, 'a.mp4', 'avi',
    CASE WHEN number %% %(failed)s = 1 THEN 'FAILED' ELSE 'COMPLETED' END, %(owner)s, %(batch)s,
    clock_timestamp(), clock_timestamp(), clock_timestamp(), 1, number,
    CASE WHEN number %% %(failed)s = 1 THEN 'no' ELSE '' END,
    CASE WHEN number %% %(failed)s = 1 THEN 'no' ELSE '' END
  FROM generate_series(1, %(jobs)s) AS number
  RETURNING id
), told AS (
  INSERT INTO webhooks_delivery (id, owner_id, url, job_id, number, event, body, status, sender)
  SELECT id, %(owner)s, 'https://example.org', id, 0, 'completed', '', 'delivered', id FROM made
)
INSERT INTO jobs_jobmetrics (id, job_id, peak_cpu_usage, memory_usage_mb, processing_time_seconds)
SELECT id, id, 0, 0, 0 FROM made
"""


def fill(first: int, jobs: int, owner: int, failed: int, batch: UUID | None = None) -> None:
    """Jobs that ended, made from the `first` millisecond on, with a delivery each; one of so many
    FAILED."""
    values = {"first": first, "jobs": jobs, "owner": owner, "failed": failed, "batch": batch}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job, jobs_jobmetrics, webhooks_delivery")


@pytest.fixture
def batch(alice: User, bob: User) -> UUID:
    """Half of all jobs are old and alice's, the others newer; the last of hers are a batch."""
    batch = submit(NewJob("noop", owner_id=alice.pk)).id
    analyze()
    fill(0, HERS, alice.pk, failed=7_000)
    fill(HERS, HERS // 10, alice.pk, failed=7_000, batch=batch)
    fill(10 * HERS, NEWER, bob.pk, failed=10)
    return batch


def both_ways(address: str) -> Iterator[str]:
    yield f"{address}limit={PAGE}&order=newest"
    yield f"{address}limit={PAGE}&order=oldest"


@pytest.mark.django_db
@pytest.mark.timeout(180)
def test_a_page_costs_what_it_shows_and_looks_at(
    alice: User, staff: User, batch: UUID, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LOOKED_AT", LOOKED_AT)
    hers, all_of_them = client_of(alice), client_of(staff, scopes=[READ, ADMIN])
    shown = {
        hers: [f"{JOBS}?", f"{JOBS}?batch={batch}&", f"{DELIVERIES}?"],
        all_of_them: [f"{JOBS}?", f"{JOBS}?owner={alice.pk}&", f"{DELIVERIES}?"],
    }
    filters = [
        "status=FAILED", "status=COMPLETED", "status=QUEUED", "status=IN_PROGRESS", "job_type=rare",
        "priority=9", "metadata.a=b", "created_from=1970-01-01T00:00:00Z",
        "created_to=1970-01-01T00:00:00Z", "error_code=no", f"batch={batch}&status=FAILED",
    ]  # fmt: skip
    dear = []

    for _ in ("old statistics", "new ones"):
        for who, most, addresses in [
            *((who, SHOWN, addresses) for who, addresses in shown.items()),
            *((who, ALSO_LOOKED_AT, [f"{JOBS}?{one}&" for one in filters]) for who in shown),
            *((who, ALSO_LOOKED_AT, [f"{DELIVERIES}?status=failed&"]) for who in shown),
        ]:
            for address in (one for start in addresses for one in both_ways(start)):
                page, link = None, address
                for way in ("next", "next", "prev"):
                    with explained() as costs:
                        answer = who.get(link)
                    assert answer.status_code == 200, answer.content
                    read = sum(one.buffers for one in costs if "SELECT" in one.sql)
                    if read > most:
                        dear.append((read, "staff" if who is all_of_them else "alice", link))
                    page = answer.json()
                    if page[way] is None:
                        break
                    link = page[way]
        analyze()

    assert not dear


@pytest.mark.django_db
@pytest.mark.usefixtures("batch")
def test_the_admin_shows_the_newest(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_only, "NEWEST", LOOKED_AT)
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    client = Client()
    client.force_login(staff)
    lists = [
        "jobs/job/?", "jobs/job/?p=3", "jobs/job/?status__exact=FAILED", "jobs/job/?job_type=rare",
        "jobs/job/?status__exact=COMPLETED", "jobs/job/?priority=high", "jobs/jobmetrics/",
        "webhooks/delivery/",
    ]  # fmt: skip
    dear = []

    for _ in ("old statistics", "new ones"):
        for address in lists:
            with explained() as costs:
                assert client.get(f"/admin/{address}").status_code == 200
            read = sum(one.buffers for one in costs)
            if read > ALSO_LOOKED_AT:
                dear.append((read, address))
        analyze()

    assert not dear


@pytest.mark.django_db(transaction=True)
def test_a_list_that_takes_too_long_says_so(
    alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here behind a lock; the time is that of a statement."""
    monkeypatch.setattr(walks, "LONGEST_SECONDS", 0.1)
    hers = client_of(alice)
    with psycopg.connect(**direct_parameters()) as other:
        other.execute("LOCK TABLE jobs_job")

        response = hers.get(JOBS)

    document = problem_of(response, 503, "too_broad")
    assert "created_from" in document["detail"]
    monkeypatch.undo()
    assert hers.get(JOBS).json()["results"] == []
