"""Retry and replay of jobs that ended, one by one and in bulk, and why they ended."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from jobs.models import DurationHistory, Job, JobAttempt, JobEvent
from jobs.outcomes import Cancel, Failed
from jobs.queue import dead_letter
from jobs.queue.dead_letter import reasons, replay, replay_where, retry, retry_where
from jobs.queue.errors import NoSuchJob, NotFinal, NotRetriable
from jobs.queue.expire import expire
from jobs.queue.finish import finish
from jobs.queue.progress import Progress, report_progress
from jobs.queue.selection import EVERYTHING, Selection
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from jobs.stats import estimate as estimates
from tests.rows import DONE, claim, claim_one, finished, job_in, new_job

pytestmark = pytest.mark.django_db


def failed(error: str = "broken", code: str = "bad", **values: Any) -> Job:
    """A job that FAILED."""
    job = new_job(**values)
    finish([finished(claim_one(), Failed(error, code))])
    job.refresh_from_db()
    return job


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk operations take several."""
    monkeypatch.setattr(dead_letter, "BATCH", 3)


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The priorities for which workers were woken."""
    seen: list[int] = []
    monkeypatch.setattr(dead_letter, "announce", lambda *priorities: seen.extend(priorities))
    return seen


def test_a_retried_job_is_as_new_and_keeps_its_history() -> None:
    job = new_job(priority=8, max_attempts=2)
    claimed = claim_one()
    report_progress([Progress(job.id, claimed.lease, 0.4, "nearly half")])
    finish([finished(claimed, Failed("broken", "bad"))])
    Job.objects.update(lost_leases=2)
    before: dict[str, Any] = dict(Job.objects.values().get())
    retried = retry(job.id, actor="ann")
    after: dict[str, Any] = dict(Job.objects.values().get())
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "status", "queued_at", "completed_at", "attempt", "lost_leases", "lease", "progress",
        "error_code", "error_message",
    }  # fmt: skip
    assert (retried.status, retried.attempt, retried.lease) == (Status.QUEUED, 0, None)
    assert retried.queued_at is not None
    assert retried.queued_at > before["completed_at"]
    event = JobEvent.objects.get()
    assert (event.job_id, event.kind, event.actor) == (job.id, "retried", "ann")
    assert event.detail["error_code"] == "bad"
    assert JobAttempt.objects.count() == 1
    assert claim_one().number == 1


def test_a_cancelled_job_can_be_retried_and_is_not_to_be_cancelled_any_more() -> None:
    job = new_job()
    claimed = claim_one()
    Job.objects.update(cancel_requested=True)
    finish([finished(claimed, Cancel())])
    assert not retry(job.id).cancel_requested
    finish([finished(claim_one())])
    assert Job.objects.get().status == Status.COMPLETED


def test_a_job_cancelled_before_its_time_is_due_at_once() -> None:
    job = new_job(scheduled_at=timezone.now() + timedelta(hours=1))
    Job.objects.update(status=Status.CANCELLED, completed_at=timezone.now())
    retried = retry(job.id)
    assert (retried.status, retried.scheduled_at) == (Status.QUEUED, None)


def test_an_expired_job_that_is_retried_does_not_expire_again() -> None:
    job = new_job(expires_in=-1.0)
    assert expire()
    retry(job.id)
    assert expire() == []
    assert claim_one().job_id == job.id


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.FAILED, Status.CANCELLED}))
def test_a_job_in_another_state_is_not_retried(status: Status) -> None:
    job = job_in(status)
    with pytest.raises(NotRetriable) as refused:
        retry(job.id)
    assert refused.value.status == status
    assert status in str(refused.value)
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize("change", [retry, replay])
def test_a_job_that_is_not_there(change: Any) -> None:
    with pytest.raises(NoSuchJob):
        change(uuid4())


def test_a_late_result_of_the_attempt_before_is_refused() -> None:
    job = new_job()
    claimed = claim_one()
    finish([finished(claimed, Failed("broken"))])
    retry(job.id)
    assert finish([finished(claimed)]) == {claimed.lease}
    assert Job.objects.get().status == Status.QUEUED


def test_a_replay_is_a_new_job_with_the_values_of_the_old() -> None:
    owner = get_user_model().objects.create(username="ann")
    values: dict[str, Any] = {
        "job_type": "noop", "source_file": "a.mp4", "target_format": "avi",
        "parameters": {"x": [1]}, "priority": 6, "max_attempts": 4, "owner_id": owner.pk,
        "name": "holiday", "soft_limit_seconds": 5.0, "hard_limit_seconds": 9.0,
        "source_bytes": 77,
    }  # fmt: skip
    old = submit(NewJob(**values, expires_in=30.0))
    finish([finished(claim_one())])
    before = Job.objects.values().get()
    new = replay(old.id, actor="ann")
    assert {name: getattr(new, name) for name in values} == values
    assert (new.status, new.replay_of, new.attempt) == (Status.QUEUED, old.id, 0)
    assert new.expires_at == new.created_at + timedelta(seconds=30)
    assert Job.objects.values().get(id=old.id) == before
    event = JobEvent.objects.get()
    assert (event.job_id, event.kind, event.actor) == (old.id, "replayed", "ann")
    assert event.detail == {"job": str(new.id)}


def test_a_replay_is_estimated_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a process that has read no estimates yet."""
    monkeypatch.setattr(estimates, "_cache", estimates._Cache())
    old = submit(NewJob("noop", "a.mp4", "avi", source_bytes=77))
    finish([finished(claim_one())])
    DurationHistory.objects.create(
        job_type="noop",
        target_format="avi",
        size_class=estimates.size_class(77),
        jobs=1,
        mean_seconds=2.5,
        updated_at=timezone.now(),
    )
    assert replay(old.id).estimated_seconds == 2.5


def test_a_replay_of_an_expired_scheduled_job_has_as_long_to_start() -> None:
    later = timezone.now() + timedelta(hours=1)
    old = new_job(scheduled_at=later, expires_in=30.0)
    Job.objects.update(status=Status.CANCELLED, completed_at=timezone.now())
    new = replay(old.id)
    assert new.expires_at == new.created_at + timedelta(seconds=30)


def test_a_replay_can_change_values() -> None:
    new = replay(failed().id, priority=1, name="again")
    assert (new.priority, new.name) == (1, "again")


def test_a_change_that_is_none_submits_nothing() -> None:
    job = failed()
    with pytest.raises(TypeError, match="colour"), transaction.atomic():
        replay(job.id, colour="red")
    assert Job.objects.count() == 1
    assert not JobEvent.objects.exists()


@pytest.mark.parametrize("status", sorted(set(Status) - {"COMPLETED", "FAILED", "CANCELLED"}))
def test_a_job_that_is_not_final_is_not_replayed(status: Status) -> None:
    job = job_in(status)
    with pytest.raises(NotFinal):
        replay(job.id)
    assert Job.objects.count() == 1


@pytest.mark.usefixtures("small_batches")
def test_bulk_retry_takes_the_selection_and_leaves_the_rest(
    announced: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    wanted = [failed(code="disk_full", priority=number % 2) for number in range(7)]
    other = failed(code="bad")
    with django_capture_on_commit_callbacks(execute=True):
        assert announced == []
        assert retry_where(Selection(error_code="disk_full"), actor="ann") == 7
        assert announced == []
    assert set(announced) == {0, 1}
    queued = Job.objects.filter(status=Status.QUEUED).values_list("id", flat=True)
    assert set(queued) == {job.id for job in wanted}
    assert JobEvent.objects.filter(kind="retried", actor="ann").count() == 7
    other.refresh_from_db()
    assert other.status == Status.FAILED


@pytest.mark.usefixtures("small_batches")
def test_bulk_replay_submits_one_new_job_for_each() -> None:
    wanted = [failed() for _ in range(7)]
    new_job()
    finish([finished(claim_one())])
    assert replay_where(Selection(status="FAILED"), priority=9) == 7
    new = Job.objects.filter(replay_of__isnull=False)
    assert {job.replay_of for job in new} == {job.id for job in wanted}
    assert {job.priority for job in new} == {9}
    told = {event.job_id: event.detail["job"] for event in JobEvent.objects.all()}
    assert told == {job.replay_of: str(job.id) for job in new}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("change", [retry_where, replay_where])
def test_what_fails_again_meanwhile_is_not_taken_twice(
    change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        failed()

    seam = "_retry" if change is retry_where else "_replay"
    original = getattr(dead_letter, seam)

    def changed(*arguments: Any, **options: Any) -> Any:
        """With a worker that is faster than the bulk, and fails."""
        done = original(*arguments, **options)
        for again in claim(10):
            finish([finished(again, Failed("again"))])
        return done

    monkeypatch.setattr(dead_letter, seam, changed)
    assert change(EVERYTHING) == 7


def test_bulk_of_nothing() -> None:
    job_in(Status.COMPLETED)
    assert retry_where(EVERYTHING) == 0
    assert replay_where(Selection(ids=[])) == 0


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_is_passed_over_in_bulk() -> None:
    locked_job, free = failed(), failed()
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(id=locked_job.id)
            locked.set()
            release.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(60)
    try:
        assert retry_where(EVERYTHING) == 1
    finally:
        release.set()
        holder.join(60)
    free.refresh_from_db()
    assert free.status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_two_people_who_retry_at_once_retry_each_job_once() -> None:
    ids = [failed().id for _ in range(60)]
    counted: list[int] = []
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        counted.append(retry_where(Selection(ids=ids)))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counted.append(retry_where(Selection(ids=ids)))
    assert sum(counted) == JobEvent.objects.count() == 60


def test_reasons_are_grouped_the_most_frequent_first() -> None:
    failed("no space left on a", "disk_full")
    failed("no space left on b", "disk_full")
    newest = failed("no space left on c", "disk_full")
    broken = failed("header missing", "bad_media")
    new_job()
    finish([finished(claim_one(), DONE)])
    first, second = reasons()
    assert (first.jobs, first.job_type, first.error_code) == (3, "noop", "disk_full")
    assert (first.example, first.example_id) == ("no space left on c", newest.id)
    assert first.newest_at == newest.completed_at
    assert (second.jobs, second.example_id) == (1, broken.id)
    assert [one.error_code for one in reasons(Selection(error_code="bad_media"))] == ["bad_media"]
    assert reasons(Selection(status="COMPLETED")) == []
