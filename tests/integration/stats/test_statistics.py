"""Counts and figures: from rollups and the live tail, never by a scan of the jobs."""

import math
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from jobs.models import Job, RollupMark
from jobs.queue.finish import finish
from jobs.queue.submit import NewJob, submit_many
from jobs.states import Status
from jobs.stats import rollup, waiting
from jobs.stats.ended import NOBODY
from jobs.stats.histogram import WORST_FACTOR
from jobs.stats.rollup import condense, roll_up
from jobs.stats.statistics import counts, statistics
from jobs.stats.waiting import Count
from tests.ended import ended
from tests.explained import explained
from tests.rows import claim, claim_one, finished, job_in, new_job

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "WORTH_SECONDS", 0.0)


def everything() -> None:
    """Roll up until nothing is left."""
    while roll_up():
        pass


def test_counts_tell_what_waits_now_and_what_has_ended() -> None:
    for status in (
        Status.PENDING, Status.THROTTLED, Status.QUEUED, Status.QUEUED, Status.IN_PROGRESS,
    ):  # fmt: skip
        job_in(status)
    ended()
    ended(ago=86_400)
    ended(Status.FAILED)
    everything()
    ended(ago=1)
    ended(Status.CANCELLED, ago=1)
    assert counts() == {
        Status.PENDING: Count(1),
        Status.THROTTLED: Count(1),
        Status.QUEUED: Count(2),
        Status.IN_PROGRESS: Count(1),
        Status.COMPLETED: Count(3),
        Status.FAILED: Count(1),
        Status.CANCELLED: Count(1),
    }


def test_counts_before_the_first_rollup_are_read_from_the_rows() -> None:
    ended(ago=HOUR)
    assert counts()[Status.COMPLETED] == Count(1)


def test_counts_of_one_owner_are_of_that_owner() -> None:
    one, other = (User.objects.create(username=name) for name in ("one", "other"))
    for owner in (one, other, other):
        new_job(owner_id=owner.id)
        ended(owner=owner)
        ended(owner=owner, ago=1)
    everything()
    assert counts(one.id)[Status.QUEUED] == Count(1)
    assert counts(one.id)[Status.COMPLETED] == Count(2)
    assert counts(other.id)[Status.COMPLETED] == Count(4)


def test_more_than_the_cap_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = User.objects.create(username="one")
    monkeypatch.setattr(waiting, "CAP", 100)
    submit_many(NewJob("noop", owner_id=owner.id if n < 90 else None) for n in range(5000))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE jobs_job")
    queued = counts()[Status.QUEUED]
    assert queued.exactness == "estimated"
    assert 4900 <= queued.jobs <= 5100
    assert counts(owner.id)[Status.QUEUED] == Count(90, "at_least")


def test_a_tail_that_is_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.stats.statistics.TAIL_ROWS", 2)
    for ago in range(1, 6):
        ended(ago=ago)
    assert counts()[Status.COMPLETED] == Count(2, "at_least")
    found = statistics(HOUR)
    assert found.overall.jobs == 2
    assert found.up_to < timezone.now() - timedelta(seconds=2)


def test_figures_of_the_window_by_pool_type_and_owner() -> None:
    owner = User.objects.create(username="one")
    ended(priority=9, job_type="a", owner=owner, wait=1.0, run=10.0)
    ended(priority=9, job_type="b", wait=1.0, run=10.0)
    ended(Status.FAILED, priority=2, job_type="a", wait=3.0, run=20.0)
    ended(Status.CANCELLED, priority=2, job_type="a", run=5000.0)
    ended(ago=2 * HOUR, run=5000.0)
    everything()
    ended(ago=1, priority=0, job_type="b", run=10.0)
    found = statistics(HOUR)
    minutes = (found.up_to - found.since).total_seconds() / 60
    assert 60 <= minutes < 61.1
    assert found.overall.ended == {"COMPLETED": 3, "FAILED": 1, "CANCELLED": 1}
    assert found.overall.per_minute[Status.COMPLETED] == pytest.approx(3 / minutes)
    assert found.overall.run.mean == pytest.approx(12.5)
    assert found.overall.run.p50 == pytest.approx(10, rel=0.26)
    assert found.overall.run.p99 == pytest.approx(20, rel=0.26)
    assert found.overall.wait.p99 == pytest.approx(3, rel=0.26)
    assert {name: one.jobs for name, one in found.by_pool.items()} == {"high": 2, "low": 3}
    assert {name: one.jobs for name, one in found.by_type.items()} == {"a": 3, "b": 2}
    assert statistics(HOUR, owner=NOBODY).overall.jobs == 4
    his = statistics(HOUR, owner=owner.id).overall
    assert his.jobs == 1
    assert his.run.mean == pytest.approx(10)
    assert statistics(5 * HOUR).overall.jobs == 6


def test_a_long_window_reads_hours() -> None:
    for days in range(1, 11):
        ended(ago=days * 86_400)
    everything()
    while condense():
        pass
    assert statistics(7.5 * 86_400).overall.jobs == 7


def test_without_jobs_there_are_no_percentiles() -> None:
    found = statistics(HOUR)
    assert found.overall.jobs == 0
    assert found.overall.run.p99 is None
    assert (found.by_pool, found.by_type) == ({}, {})
    assert found.oldest_waiting == {"high": None, "low": None}


def test_percentiles_of_many_jobs_are_within_the_error_of_the_exact_ones() -> None:
    chance = random.Random(7)
    runs = [chance.lognormvariate(1.0, 1.5) for _ in range(300)]
    for number, run in enumerate(runs):
        ended(ago=60 + number, run=run, wait=run / 3)
    everything()
    found = statistics(HOUR).overall.run
    for share, value in ((0.5, found.p50), (0.9, found.p90), (0.95, found.p95), (0.99, found.p99)):
        true = sorted(runs)[math.ceil(share * len(runs)) - 1]
        assert value is not None
        assert 1 / WORST_FACTOR <= value / true <= WORST_FACTOR


def test_the_oldest_waiting_job_of_each_pool() -> None:
    for priority, ago in ((9, 10), (8, 50), (1, 30)):
        job = new_job(priority)
        Job.objects.filter(id=job.id).update(queued_at=timezone.now() - timedelta(seconds=ago))
    oldest = statistics(HOUR).oldest_waiting
    assert oldest["high"] == pytest.approx(50, abs=5)
    assert oldest["low"] == pytest.approx(30, abs=5)


def test_what_the_engine_settles_is_told_at_once() -> None:
    new_job()
    finish([finished(claim_one())])
    assert counts()[Status.COMPLETED] == Count(1)
    assert statistics(HOUR).overall.wait.p50 is not None


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """The plans of all statements here, beside 10,000 jobs that ended over two hours and some that
    wait; nobody has analyzed the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_job (id, job_type, source_file, target_format, priority, status,"
            " queued_at, started_at, completed_at, attempt)"
            " SELECT gen_random_uuid(), 'noop', '', '', n % 11,"
            " (ARRAY['COMPLETED','COMPLETED','COMPLETED','FAILED','CANCELLED'])[1 + n % 5],"
            " at, at, at, 1"
            " FROM generate_series(1, 10000) AS n,"
            " LATERAL (SELECT now() - make_interval(secs => 0.72 * n) AS at) AS clock"
        )
        cursor.execute(
            "INSERT INTO jobs_jobmetrics (id, job_id, peak_cpu_usage, memory_usage_mb,"
            " processing_time_seconds, created_at)"
            " SELECT id, id, 0, 0, 0, completed_at FROM jobs_job WHERE status = 'COMPLETED'"
        )
    submit_many(NewJob("noop", priority=n % 11) for n in range(2000))
    claim(50)
    while roll_up():
        pass
    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'")
        cursor.execute("SET auto_explain.log_min_duration = 0")
        cursor.execute("SET client_min_messages = log")
    seen: list[str] = []
    connection.connection.add_notice_handler(
        lambda message: seen.append(message.message_primary or "")
    )
    yield seen
    connection.close()


@pytest.mark.parametrize("analyzed", [False, True])
def test_nothing_scans_the_jobs(plans: list[str], analyzed: bool) -> None:
    if analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    plans.clear()
    counts()
    counts(owner=1)
    statistics(HOUR)
    statistics(30 * 86_400.0, owner=1)
    ended(ago=31)
    assert not roll_up()
    scans = [
        line.strip()
        for plan in plans
        for line in plan.splitlines()
        if "Scan" in line and (" on jobs_job " in line or " on jobs_jobmetrics " in line)
    ]
    assert len(scans) > 20
    assert not [scan for scan in scans if "Seq Scan" in scan], scans
    assert {scan.split(" using ")[1].split(" on ")[0] for scan in scans} == {
        "job_claim", "job_promote", "job_throttled", "job_leased", "job_not_completed",
        "jobmetrics_created", "jobs_job_pkey",
    }, scans  # fmt: skip


ROWS_OF_TOTALS = (
    "INSERT INTO jobs_jobtotal (owner_id, priority, job_type, status, until, jobs, wait_seconds,"
    " run_seconds, waits, runs)"
    " SELECT owner, 5, type, status, now() - make_interval(mins => minute), %(minutes)s - minute,"
    " 0, 0, array_fill(%(minutes)s - minute, ARRAY[60]), array_fill(0, ARRAY[60])"
    " FROM generate_series(0, %(minutes)s - 1) AS minute,"
    " unnest(ARRAY[-1, 0, 1, 2]) AS owner, unnest(ARRAY['a', 'b']) AS type,"
    " unnest(ARRAY['COMPLETED', 'FAILED']) AS status"
)


def test_windows_and_counts_read_as_much_of_many_totals_as_of_few() -> None:
    read: dict[int, list[int]] = {}
    for minutes in (5, 2_500):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE jobs_jobtotal")
            cursor.execute(ROWS_OF_TOTALS, {"minutes": minutes})
        RollupMark.objects.update_or_create(id=1, defaults={"reached": timezone.now()})
        read[minutes] = []
        for analyzed in (False, True):
            if analyzed:
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM ANALYZE jobs_jobtotal")
            for owner in (None, 1):
                with explained() as costs:
                    assert counts(owner)[Status.COMPLETED].jobs == 2 * minutes
                    assert 0 < statistics(120.0, owner=owner).overall.jobs < 4 * 5
                    assert statistics(30 * 86_400.0, owner=owner).overall.jobs == 4 * minutes
                costs = [cost for cost in costs if "jobs_jobtotal" in cost.sql]
                assert len(costs) == 3
                read[minutes].append(max(cost.buffers for cost in costs))
    # Four series, each looked up twice, in an index that is one level higher.
    assert all(many < few + 40 < 100 for few, many in zip(*read.values(), strict=True)), read
