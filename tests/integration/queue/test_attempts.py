"""Every attempt that did not complete its job is kept, once, and told together with the row."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Job, JobAttempt
from jobs.outcomes import Backoff, Cancel, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue.database import fetch
from jobs.queue.finish import MAX_TRACEBACK_CHARACTERS, finish
from jobs.queue.history import AttemptRecord, attempts
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from tests.rows import ALL, DONE, claim_one, expire, finished, new_job

pytestmark = pytest.mark.django_db

AT_ONCE = Backoff(0.0)


def told(job: Job) -> list[tuple[int, str, str]]:
    """Number, outcome and error of each attempt."""
    job.refresh_from_db()
    return [(one.number, one.outcome, one.error_message) for one in attempts(job)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Retry("busy", "busy", after=0.0), ("retry", "busy", "busy")),
        (Failed("broken", "bad"), ("failed", "bad", "broken")),
        (Snooze(1.0, "not yet"), ("snoozed", "", "not yet")),
        (Cancel("not wanted"), ("cancelled", "", "not wanted")),
        (Interrupted(), ("interrupted", "", "")),
    ],
)
def test_an_attempt_is_recorded_by_its_outcome(
    outcome: Outcome, expected: tuple[str, str, str]
) -> None:
    job = new_job()
    claimed = claim_one()
    began = Job.objects.get().started_at
    before = timezone.now()
    finish([finished(claimed, outcome)])
    row = JobAttempt.objects.get()
    assert (row.job_id, row.number, row.worker, row.started_at) == (job.id, 1, ALL.worker, began)
    assert (row.outcome, row.error_code, row.error_message) == expected
    assert before - timedelta(seconds=5) < row.ended_at < before + timedelta(seconds=5)
    assert row.ended_at >= row.started_at


def test_the_end_of_the_last_attempt_is_the_end_of_the_job() -> None:
    new_job()
    finish([finished(claim_one(), Failed("broken"))])
    assert JobAttempt.objects.get().ended_at == Job.objects.get().completed_at


def test_the_last_retry_is_recorded_as_failed() -> None:
    new_job(max_attempts=1)
    finish([finished(claim_one(), Retry("busy", "busy"))])
    assert JobAttempt.objects.get().outcome == "failed"


def test_an_error_of_an_attempt_that_was_to_be_cancelled_is_kept() -> None:
    new_job()
    claimed = claim_one()
    Job.objects.update(cancel_requested=True)
    finish([finished(claimed, Failed("half of it", "half"))])
    row = JobAttempt.objects.get()
    assert (row.number, row.outcome, row.error_message) == (1, "cancelled", "half of it")


@pytest.mark.parametrize(
    "outcome", [DONE, Interrupted(started=False)], ids=["completed", "never begun"]
)
def test_what_the_row_tells_or_never_began_is_not_recorded(outcome: Outcome) -> None:
    new_job()
    finish([finished(claim_one(), outcome)])
    assert not JobAttempt.objects.exists()


@pytest.mark.parametrize("outcome", [Retry("x"), Failed("x"), Snooze(9.0), Cancel(), Interrupted()])
def test_a_commit_whose_answer_was_lost_records_nothing_twice(outcome: Outcome) -> None:
    new_job()
    mine = finished(claim_one(), outcome)
    assert finish([mine]) == set()
    assert finish([mine]) == set()
    assert JobAttempt.objects.count() == 1


def test_a_lost_lease_is_recorded_once_and_its_holder_records_nothing() -> None:
    job = new_job()
    zombie = claim_one()
    began = Job.objects.get().started_at
    expire(job.id)
    rescue(0.0, 3)
    rescue(0.0, 3)
    finish([finished(zombie, Failed("too late"))])
    row = JobAttempt.objects.get()
    assert (row.job_id, row.number, row.outcome) == (job.id, 1, "lost")
    assert (row.worker, row.started_at) == (ALL.worker, began)


def test_a_poisonous_job_has_each_of_its_lost_attempts() -> None:
    job = new_job()
    for _ in range(3):
        claim_one()
        expire(job.id)
        rescue(0.0, 3)
    assert [outcome for _, outcome, _ in told(job)] == ["lost"] * 3


def test_a_long_traceback_keeps_its_end_and_what_cannot_be_stored_is_left_out() -> None:
    new_job()
    text = "x" * 40_000 + "\x00\ud800 the reason"
    finish([finished(claim_one(), Retry("raised", traceback=text))])
    kept = JobAttempt.objects.get().traceback
    assert kept.endswith("? the reason")
    assert len(kept) == MAX_TRACEBACK_CHARACTERS + len("...")


def test_the_whole_story_of_a_job_is_told_in_order() -> None:
    job = new_job(max_attempts=2)
    assert told(job) == []
    finish([finished(claim_one(), Retry("busy", backoff=AT_ONCE))])
    assert promote()
    finish([finished(claim_one(), Interrupted())])
    finish([finished(claim_one(), Snooze(0.0, "later"))])
    assert promote()
    claimed = claim_one()
    before_the_end = [
        (1, "retry", "busy"),
        (2, "interrupted", ""),
        (2, "snoozed", "later"),
    ]
    assert told(job) == [*before_the_end, (2, "running", "")]
    finish([finished(claimed)])
    assert told(job) == [*before_the_end, (2, "completed", "")]


def test_an_attempt_that_ended_since_the_row_was_read_is_told_once() -> None:
    new_job()
    claimed = claim_one()
    stale = Job.objects.get()
    finish([finished(claimed, Retry("busy"))])
    assert [one.outcome for one in attempts(stale)] == ["retry"]


def test_an_owner_sees_no_traceback_and_an_operator_does() -> None:
    job = new_job()
    finish([finished(claim_one(), Failed("broken", traceback="Traceback: line 7"))])
    [shown] = attempts(job)
    assert shown.traceback == ""
    assert "line 7" not in repr(shown)
    [whole] = attempts(job, tracebacks=True)
    assert whole == AttemptRecord(
        1, ALL.worker, whole.started_at, whole.ended_at, "failed", "failed", "broken",
        "Traceback: line 7",
    )  # fmt: skip


def test_a_worker_of_the_release_before_is_understood() -> None:
    """It sends no tracebacks, no waits and no snoozes."""
    job = new_job()
    claimed = claim_one()
    old = {"id": str(job.id), "lease": claimed.lease, "status": "PENDING", "longest_wait": 5.0}
    assert fetch("SELECT jobs_finish(%(old)s::json)", {"old": json.dumps([old])}) == [(1,)]
    assert told(job) == [(1, "retry", "")]
