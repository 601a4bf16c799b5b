"""Lists are read along the index of an owner's jobs or of a batch's items, whoever has how many."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from jobs.queue.submit import NewJob, submit_many
from tests.accounts import ClientOf
from tests.explained import explained

pytestmark = pytest.mark.django_db

MANY = 10_000
PAGE = 20
# Each job's row and its metrics, by their keys; along other jobs it would be some hundreds.
FEW = 8 * PAGE
JOBS = "/api/v1/jobs"


def test_lists_touch_what_they_show(alice: User, bob: User, client_of: ClientOf) -> None:
    [batch] = submit_many([NewJob("noop", owner_id=alice.pk)])
    submit_many(NewJob("noop", owner_id=alice.pk, parent_id=batch) for _ in range(2 * PAGE))
    submit_many(NewJob("noop", owner_id=alice.pk) for _ in range(MANY // 50))
    submit_many(NewJob("noop", owner_id=bob.pk) for _ in range(MANY))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job")
    hers = client_of(alice)

    for filters in ({}, {"batch": str(batch)}):
        address = f"{JOBS}?limit={PAGE}" + "".join(f"&{key}={filters[key]}" for key in filters)
        for _ in range(2):
            with explained() as costs:
                page = hers.get(address).json()
            read = sum(cost.buffers for cost in costs if '"jobs_job"' in cost.sql)
            assert len(page["results"]) == PAGE
            assert read < FEW, (address, costs)
            address = page["next"]
