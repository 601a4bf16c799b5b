"""A claim of some types: the rules of every claim, and no job twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from jobs.models import Job
from jobs.queue.claim_typed import claim_typed
from jobs.queue.submit import NewJob, submit
from tests.rows import ALL, claim

pytestmark = pytest.mark.django_db


def put(job_type: str, priority: int, **values: object) -> str:
    return str(submit(NewJob(job_type, "a", "b", priority=priority, **values)).id)  # type: ignore[arg-type]


def test_only_the_types_in_the_order_of_every_claim() -> None:
    low = [put("a", 2), put("a", 2)]
    put("other", 9)
    high = [put("b", 9), put("a", 9)]
    out_of_range = put("a", 10)
    late = put("a", 9, expires_in=100)
    Job.objects.filter(id=late).update(expires_at=Now() - timedelta(seconds=1))

    claimed = claim_typed(replace(ALL, highest=9), ["a", "b"], 3)

    assert [one.id for one in claimed] == [*high, low[0]]
    row = Job.objects.get(id=high[0])
    assert (row.status, row.attempt, row.lease, row.worker) == (
        "IN_PROGRESS",
        1,
        claimed[0].lease,
        "test",
    )
    assert [one.id for one in claim(2)] == [out_of_range, str(Job.objects.get(job_type="other").id)]
    assert [one.id for one in claim_typed(ALL, ["a"], 5)] == [low[1]]
    assert claim_typed(ALL, ["a", "b"], 5) == []


def test_one_that_waits_gets_older(admin_user: object) -> None:
    old, young = put("a", 2), put("a", 5)
    Job.objects.filter(id=old).update(queued_at=Now() - timedelta(seconds=50))
    [claimed] = claim_typed(replace(ALL, ageing_seconds=10.0), ["a"], 1)
    assert claimed.id == old
    assert [one.id for one in claim_typed(ALL, ["a"], 1)] == [young]


def test_only_those_of_an_owner(django_user_model: type) -> None:
    mine = django_user_model.objects.create_user("mine")  # type: ignore[attr-defined]
    put("a", 9)
    own = put("a", 2, owner_id=mine.pk)
    assert [one.id for one in claim_typed(ALL, ["a"], 5, owner_id=mine.pk)] == [own]


@pytest.mark.django_db(transaction=True)
def test_no_job_goes_to_two() -> None:
    for _ in range(200):
        put("a", 5)

    def take(number: int) -> list[str]:
        try:
            taken: list[str] = []
            while more := claim_typed(ALL, ["a"], 3) if number % 2 else claim(3):
                taken += [one.id for one in more]
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        taken = [job for jobs in threads.map(take, range(4)) for job in jobs]
    assert len(taken) == len(set(taken)) == 200


def test_it_walks_the_index_of_the_queue() -> None:
    # Plans inside of a function are not shown; its statement with its settings is.
    for setting in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
        connection.cursor().execute(f"SET LOCAL enable_{setting} = off")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT ctid FROM jobs_job WHERE status = 'QUEUED' AND priority = 5"
            " AND job_type = ANY ('{a,b}') ORDER BY queued_at, id LIMIT 1 FOR NO KEY UPDATE"
            " SKIP LOCKED"
        )
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "job_claim" in plan
    assert "Sort" not in plan
