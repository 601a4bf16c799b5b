"""Settling an attempt: each outcome, its columns, its fence."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Job, JobAttempt, JobMetrics
from jobs.outcomes import (
    Backoff,
    Cancel,
    Completed,
    Failed,
    Interrupted,
    Metrics,
    Outcome,
    Retry,
    Snooze,
)
from jobs.queue.finish import finish, storable
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.queue.step import step
from jobs.states import Status
from tests.rows import ALL, DONE, claim_one, expire, finished, new_job

pytestmark = pytest.mark.django_db

EVERY_OUTCOME: list[Outcome] = [
    DONE,
    Retry("again"),
    Snooze(60.0, "not yet"),
    Failed("never"),
    Cancel("not wanted"),
    Interrupted(),
]


def test_completed_writes_result_and_metrics_in_one_commit() -> None:
    new_job()
    claimed = claim_one()
    outcome = Completed(Metrics(42, 100, 1.5), {"size": 3})
    assert finish([finished(claimed, outcome)]) == set()
    job = Job.objects.select_related("metrics").get()
    assert job.result == {"size": 3}
    assert job.progress == 1.0
    assert job.completed_at is not None
    assert job.lease_expires_at is None
    assert (job.metrics.peak_cpu_usage, job.metrics.memory_usage_mb) == (42, 100)
    assert job.metrics.processing_time_seconds == 1.5
    assert not job.metrics.simulated


def test_metrics_out_of_range_are_clamped_not_refused() -> None:
    new_job()
    finish([finished(claim_one(), Completed(Metrics(250, -3, -1.0)))])
    metrics = JobMetrics.objects.get()
    assert (metrics.peak_cpu_usage, metrics.memory_usage_mb) == (100, 0)
    assert metrics.processing_time_seconds == 0.0


def test_failed_is_final_and_says_why() -> None:
    new_job()
    finish([finished(claim_one(), Failed("bad \x00 \ud800 file", "bad_media"))])
    job = Job.objects.get()
    assert (job.status, job.error_code) == (Status.FAILED, "bad_media")
    assert job.error_message == "bad  ? file"
    assert job.completed_at is not None
    assert not JobMetrics.objects.exists()


def test_a_retry_waits_with_full_jitter_and_counts() -> None:
    delays = []
    for _ in range(30):
        job = new_job()
        finish([finished(claim_one(), Retry("again", backoff=Backoff(100.0, 1000.0)))])
        job.refresh_from_db()
        assert (job.status, job.attempt, job.error_message) == (Status.PENDING, 1, "")
        assert job.scheduled_at is not None
        delays.append((job.scheduled_at - timezone.now()).total_seconds())
    assert min(delays) < 50 < max(delays) <= 100


def test_backoff_doubles_up_to_its_cap() -> None:
    job = new_job(max_attempts=10)
    longest = []
    for _ in range(8):
        delays = []
        claimed = claim_one()
        finish([finished(claimed, Retry("again", backoff=Backoff(1.0, 20.0)))])
        job.refresh_from_db()
        assert job.scheduled_at is not None
        delays.append((job.scheduled_at - timezone.now()).total_seconds())
        longest.append(max(delays))
        Job.objects.update(scheduled_at=timezone.now() - timedelta(seconds=1))
        assert promote() == [5]
    for number, delay in enumerate(longest):
        assert delay <= min(20, 2**number)


@pytest.mark.parametrize("after", [0.0, 90.0])
def test_a_retry_with_a_time_waits_just_so_long(after: float) -> None:
    job = new_job()
    before = timezone.now()
    finish([finished(claim_one(), Retry("busy", backoff=Backoff(900.0), after=after))])
    job.refresh_from_db()
    assert (job.status, job.attempt) == (Status.PENDING, 1)
    assert job.scheduled_at is not None
    assert after <= (job.scheduled_at - before).total_seconds() < after + 10


def test_a_snooze_waits_and_costs_no_attempt() -> None:
    job = new_job(max_attempts=1)
    before = timezone.now()
    finish([finished(claim_one(), Snooze(90.0, "the file is still growing"))])
    job.refresh_from_db()
    assert (job.status, job.attempt, job.error_message) == (Status.PENDING, 0, "")
    assert job.scheduled_at is not None
    assert 90 <= (job.scheduled_at - before).total_seconds() < 100
    Job.objects.update(scheduled_at=timezone.now() - timedelta(seconds=1))
    assert promote()
    assert claim_one().number == 1


def test_a_cancelled_attempt_is_final_and_no_error() -> None:
    job = new_job()
    finish([finished(claim_one(), Cancel("the source is gone"))])
    job.refresh_from_db()
    assert (job.status, job.attempt, job.lease_expires_at) == (Status.CANCELLED, 1, None)
    assert job.completed_at is not None
    assert (job.error_code, job.error_message) == ("", "")


@pytest.mark.parametrize("outcome", [one for one in EVERY_OUTCOME if one is not DONE])
def test_a_job_that_was_to_be_cancelled_is_cancelled_whatever_came(outcome: Outcome) -> None:
    job = new_job()
    claimed = claim_one()
    Job.objects.update(cancel_requested=True)
    assert finish([finished(claimed, outcome)]) == set()
    job.refresh_from_db()
    assert (job.status, job.attempt, job.cancel_requested) == (Status.CANCELLED, 1, True)
    assert job.completed_at is not None
    assert (job.error_code, job.error_message, job.scheduled_at) == ("", "", None)
    assert not promote()
    assert finish([finished(claimed, outcome)]) == set()


def test_a_job_that_was_done_before_it_was_cancelled_is_done() -> None:
    job = new_job()
    claimed = claim_one()
    Job.objects.update(cancel_requested=True)
    assert finish([finished(claimed)]) == set()
    job.refresh_from_db()
    assert job.status == Status.COMPLETED


def test_a_job_cancelled_before_it_began_was_never_started() -> None:
    job = new_job()
    claimed = claim_one()
    Job.objects.update(cancel_requested=True)
    finish([finished(claimed, Interrupted(started=False))])
    job.refresh_from_db()
    assert (job.status, job.attempt, job.started_at) == (Status.CANCELLED, 0, None)


def test_the_last_attempt_fails_for_good() -> None:
    job = new_job(max_attempts=1)
    assert finish([finished(claim_one(), Retry("third time unlucky", "x"))]) == set()
    job.refresh_from_db()
    assert (job.status, job.error_message) == (Status.FAILED, "third time unlucky")


def test_an_interruption_costs_no_attempt_and_keeps_its_place() -> None:
    first = new_job()
    queued_at = first.queued_at
    new_job()
    finish([finished(claim_one(), Interrupted())])
    first.refresh_from_db()
    assert (first.status, first.attempt, first.queued_at) == (Status.QUEUED, 0, queued_at)
    assert claim_one().job_id == first.id


@pytest.mark.parametrize("outcome", EVERY_OUTCOME)
def test_a_lost_lease_settles_nothing(outcome: Outcome) -> None:
    job = new_job()
    zombie = claim_one()
    expire(job.id)
    rescue(0.0, 3)
    winner = claim_one()
    assert finish([finished(zombie, outcome)]) == {zombie.lease}
    job.refresh_from_db()
    assert (job.status, job.lease) == (Status.IN_PROGRESS, winner.lease)
    assert finish([finished(winner)]) == set()
    assert finish([finished(zombie, outcome)]) == {zombie.lease}
    assert JobMetrics.objects.count() == 1


@pytest.mark.parametrize("outcome", EVERY_OUTCOME)
def test_a_commit_whose_answer_was_lost_is_recognised(outcome: Outcome) -> None:
    new_job()
    mine = finished(claim_one(), outcome)
    assert finish([mine]) == set()
    before = Job.objects.values().get()
    assert finish([mine]) == set()
    assert Job.objects.values().get() == before


def test_a_rescued_lease_is_not_taken_for_settled() -> None:
    job = new_job()
    mine = finished(claim_one())
    expire(job.id)
    rescue(0.0, 3)
    assert finish([mine]) == {mine.attempt.lease}


def test_a_job_that_was_completed_meanwhile_is_not_taken_for_handed_back() -> None:
    new_job()
    claimed = claim_one()
    assert finish([finished(claimed)]) == set()
    assert finish([finished(claimed, Interrupted())]) == {claimed.lease}
    assert Job.objects.get().status == Status.COMPLETED


def test_a_job_that_was_handed_back_meanwhile_is_not_taken_for_completed() -> None:
    """At its end a process hands back what its threads may complete the next moment."""
    new_job()
    claimed = claim_one()
    assert finish([finished(claimed, Interrupted())]) == set()
    assert finish([finished(claimed)]) == {claimed.lease}
    assert Job.objects.get().status == Status.QUEUED
    assert not JobMetrics.objects.exists()


def test_a_step_finishes_before_it_claims() -> None:
    new_job()
    second = new_job()
    claimed = claim_one()
    stepped = step([finished(claimed)], ALL, 1)
    assert stepped.lost == set()
    assert Job.objects.get(id=claimed.job_id).status == Status.COMPLETED
    assert [job.job_id for job in stepped.claimed] == [second.id]


def test_a_batch_settles_each_by_its_own_outcome() -> None:
    for _ in EVERY_OUTCOME:
        new_job()
    batch = [finished(claim_one(), outcome) for outcome in EVERY_OUTCOME]
    assert finish(batch) == set()
    statuses = dict(Job.objects.values_list("id", "status"))
    expected = ["COMPLETED", "PENDING", "PENDING", "FAILED", "CANCELLED", "QUEUED"]
    assert [statuses[one.attempt.job_id] for one in batch] == expected


def test_what_was_claimed_and_never_begun_was_never_started() -> None:
    job = new_job()
    finish([finished(claim_one(), Interrupted(started=False))])
    job.refresh_from_db()
    assert (job.status, job.attempt, job.started_at) == (Status.QUEUED, 0, None)


def test_a_long_error_keeps_its_end() -> None:
    assert storable("x" * 9000 + "the reason").endswith("the reason")
    assert len(storable("x" * 9000)) < 4010


def test_a_deleted_job_leaves_no_metrics() -> None:
    job = new_job()
    finish([finished(claim_one())])
    assert JobMetrics.objects.get().job_id == job.id
    Job.objects.get().delete()
    assert not JobMetrics.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_step_survives_that_its_connection_forgot_it() -> None:
    new_job()
    new_job()
    claim_one()
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    claim_one()


def test_a_job_that_snoozed_before_keeps_its_start_when_it_is_handed_back_unbegun() -> None:
    job = new_job()
    finish([finished(claim_one(), Snooze(0.0))])
    promote()
    started_at = JobAttempt.objects.get().started_at
    finish([finished(claim_one(), Interrupted(started=False))])
    job.refresh_from_db()
    assert (job.status, job.attempt, job.started_at) == (Status.QUEUED, 0, started_at)
