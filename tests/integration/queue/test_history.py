"""The timeline of a job."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job, JobEvent
from jobs.outcomes import Backoff, Failed, Retry
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.finish import finish
from jobs.queue.history import events
from jobs.queue.promote import promote
from jobs.states import Status
from tests.rows import ALL, claim_one, finished, new_job

pytestmark = pytest.mark.django_db


def kinds(job: Job) -> list[str]:
    """What happened, in order."""
    job.refresh_from_db()
    found = events(job)
    assert [one.at for one in found] == sorted(one.at for one in found)
    return [one.kind for one in found]


def test_a_waiting_job_is_asked_to_end_and_then_ends() -> None:
    job = new_job()
    cancel(job.id)
    assert kinds(job) == ["created", "queued", "cancel_requested", "cancelled"]


def test_a_job_from_creation_to_its_end() -> None:
    job = new_job()
    assert kinds(job) == ["created", "queued"]
    claimed = claim_one()
    assert kinds(job) == ["created", "queued", "attempt_started"]
    finish([finished(claimed)])
    assert kinds(job) == ["created", "queued", "attempt_started", "attempt_ended", "completed"]


def test_attempts_say_who_made_them_and_how_they_ended() -> None:
    job = new_job()
    finish([finished(claim_one(), Failed("broken", "bad", traceback="secret"))])
    job.refresh_from_db()
    *_, started, ended, final = events(job)
    assert started.detail == {"number": 1, "worker": ALL.worker}
    error = {"error_code": "bad", "error_message": "broken"}
    assert ended.detail == {"number": 1, "worker": ALL.worker, "outcome": "failed", **error}
    assert (final.kind, final.detail) == ("failed", error)
    assert "secret" not in repr(events(job))


def test_a_scheduled_job_says_for_when() -> None:
    later = timezone.now() + timedelta(hours=1)
    job = new_job(scheduled_at=later)
    created, scheduled = events(job)
    assert (scheduled.kind, scheduled.at) == ("scheduled", created.at)
    assert scheduled.detail == {"scheduled_at": later.isoformat()}


def test_a_retry_is_scheduled_after_its_attempt() -> None:
    job = new_job()
    finish([finished(claim_one(), Retry("busy", after=60.0))])
    assert kinds(job) == ["created", "queued", "attempt_started", "attempt_ended", "scheduled"]


def test_a_failed_attempt_and_the_next_one() -> None:
    job = new_job()
    finish([finished(claim_one(), Retry("busy", backoff=Backoff(0.0)))])
    assert promote()
    finish([finished(claim_one())])
    found = [kind for kind in kinds(job) if kind != "scheduled"]
    assert found == [
        "created",
        "attempt_started", "attempt_ended",
        "queued",
        "attempt_started", "attempt_ended",
        "completed",
    ]  # fmt: skip


def test_a_retried_job_keeps_its_first_end() -> None:
    job = new_job()
    finish([finished(claim_one(), Failed("broken", "bad"))])
    failed_at = Job.objects.get().completed_at
    retry(job.id, actor="ann")
    finish([finished(claim_one())])
    assert kinds(job) == [
        "created", "queued",
        "attempt_started", "attempt_ended", "failed",
        "retried", "queued",
        "attempt_started", "attempt_ended", "completed",
    ]  # fmt: skip
    by_kind = {one.kind: one for one in events(job)}
    assert by_kind["failed"].at == failed_at
    assert by_kind["failed"].detail == {"error_code": "bad", "error_message": "broken"}
    assert by_kind["retried"].actor == "ann"


def test_a_retried_job_keeps_for_when_it_was_scheduled() -> None:
    later = timezone.now() + timedelta(hours=1)
    job = new_job(scheduled_at=later)
    cancel(job.id)
    retry(job.id)
    job.refresh_from_db()
    assert [one.kind for one in events(job)] == [
        "created", "scheduled", "cancel_requested", "cancelled", "retried", "queued",
    ]  # fmt: skip
    assert events(job)[1].detail == {"scheduled_at": later.isoformat()}


def test_a_job_that_waits_for_its_turn_again_was_queued_once(settings: Settings) -> None:
    settings.CONCURRENT_JOBS_LIMIT = 1
    job = new_job()
    finish([finished(claim_one(), Failed("broken"))])
    new_job()
    retry(job.id)
    assert Job.objects.get(id=job.id).status == Status.THROTTLED
    assert kinds(job).count("queued") == 1


def test_a_replay_is_told_on_both_sides() -> None:
    job = new_job()
    finish([finished(claim_one())])
    again = replay(job.id, actor="ann")
    job.refresh_from_db()
    last = events(job)[-1]
    assert (last.kind, last.actor, last.detail) == ("replayed", "ann", {"job": str(again.id)})
    assert events(again)[0].detail == {"replay_of": str(job.id)}


def test_what_people_asked_for_stands_between() -> None:
    job = new_job()
    claimed = claim_one()
    JobEvent.objects.create(job=job, kind="cancel_requested", actor="ann")
    Job.objects.update(cancel_requested=True)
    finish([finished(claimed, Retry("stopped"))])
    assert kinds(job) == [
        "created", "queued", "attempt_started", "cancel_requested", "attempt_ended", "cancelled",
    ]  # fmt: skip
