"""Cancelling: waiting jobs at once, running ones by a flag, final ones not at all."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from jobs.models import Job, JobEvent
from jobs.outcomes import Cancel, Completed, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue import cancel as module
from jobs.queue.cancel import cancel, cancel_where, requested
from jobs.queue.errors import AlreadyFinal, NoSuchJob
from jobs.queue.finish import finish
from jobs.queue.rescue import rescue
from jobs.queue.selection import Selection
from jobs.states import FINAL, Status
from tests.rows import DONE, claim, claim_one, expire, finished, job_in, new_job
from tests.waiting import wait_until

WAITING = (Status.PENDING, Status.THROTTLED, Status.QUEUED)


@pytest.mark.django_db
@pytest.mark.parametrize("status", WAITING)
def test_a_waiting_job_is_cancelled_at_once(status: Status) -> None:
    job = job_in(status)
    assert cancel(job.id, actor="alice") == Status.CANCELLED
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == (Status.CANCELLED, False)
    assert job.completed_at is not None
    event = JobEvent.objects.get()
    assert (event.job_id, event.kind, event.actor) == (job.id, "cancel_requested", "alice")
    assert claim() == []


@pytest.mark.django_db
def test_a_running_job_is_asked_once() -> None:
    job = new_job()
    claimed = claim_one()
    other = new_job()
    assert cancel(job.id) == Status.IN_PROGRESS
    assert cancel(job.id) == Status.IN_PROGRESS
    job.refresh_from_db()
    assert (job.status, job.cancel_requested, job.completed_at) == ("IN_PROGRESS", True, None)
    assert JobEvent.objects.count() == 1
    held = {claimed.lease: claimed.job_id, claimed.lease + 1: other.id}
    assert requested(held) == {claimed.lease}


@pytest.mark.django_db
def test_a_request_is_not_for_those_who_lost_the_job() -> None:
    job = new_job()
    lost = claim_one()
    expire(job.id)
    rescue(0.0, 3)
    claim_one()
    cancel(job.id)
    assert requested({lost.lease: job.id}) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_final_job_cannot_be_cancelled(status: Status) -> None:
    job = job_in(status)
    with pytest.raises(AlreadyFinal) as raised:
        cancel(job.id)
    assert raised.value.status == status
    assert not JobEvent.objects.exists()


@pytest.mark.django_db
def test_a_job_that_is_not_there_cannot_be_cancelled() -> None:
    with pytest.raises(NoSuchJob):
        cancel(uuid4())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (DONE, Status.COMPLETED),
        (Failed("no"), Status.CANCELLED),
        (Cancel(), Status.CANCELLED),
        (Retry("again"), Status.CANCELLED),
        (Snooze(60), Status.CANCELLED),
        (Interrupted(), Status.CANCELLED),
    ],
)
def test_what_a_cancelled_attempt_comes_to(outcome: Outcome, status: Status) -> None:
    job = new_job()
    claimed = claim_one()
    cancel(job.id)
    assert finish([finished(claimed, outcome)]) == set()
    job.refresh_from_db()
    assert job.status == status
    assert job.completed_at is not None
    assert isinstance(outcome, Completed) == hasattr(job, "metrics")


@pytest.mark.django_db
def test_a_cancelled_job_of_a_dead_worker_is_not_tried_again() -> None:
    job = new_job()
    claim_one()
    cancel(job.id)
    expire(job.id)
    rescue(0.0, 3)
    job.refresh_from_db()
    assert (job.status, job.lost_leases) == (Status.CANCELLED, 1)


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_was_first_is_waited_for() -> None:
    job = new_job()
    claimed, release = threading.Event(), threading.Event()
    said: list[Status] = []

    def take() -> None:
        with transaction.atomic():
            claim_one()
            claimed.set()
            release.wait(60)
        connection.close()

    def ask() -> None:
        said.append(cancel(job.id))
        connection.close()

    taking, asking = threading.Thread(target=take), threading.Thread(target=ask)
    taking.start()
    assert claimed.wait(60)
    asking.start()
    wait_until(_somebody_waits_for_a_lock, "the cancel waits")
    assert said == []
    release.set()
    taking.join(60)
    asking.join(60)
    assert said == [Status.IN_PROGRESS]
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == (Status.IN_PROGRESS, True)


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
def test_many_are_cancelled_by_what_they_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    waiting = [new_job(priority=2) for _ in range(10)]
    spared = new_job(priority=3)
    running = new_job(priority=10)
    claim_one()
    job_in(Status.COMPLETED)
    assert cancel_where(Selection(priority=2), actor="bob") == 10
    assert Job.objects.filter(status=Status.CANCELLED).count() == 10
    assert cancel_where(Selection(ids=[waiting[0].id, running.id])) == 1
    assert cancel_where(Selection()) == 1
    spared.refresh_from_db()
    running.refresh_from_db()
    assert (spared.status, running.cancel_requested) == (Status.CANCELLED, True)
    assert JobEvent.objects.filter(actor="bob").count() == 10
    assert cancel_where(Selection()) == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_none_is_forgotten_that_was_locked() -> None:
    jobs = [new_job() for _ in range(3)]
    locked, release = threading.Event(), threading.Event()

    def renew() -> None:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(id=jobs[1].id)
            locked.set()
            release.wait(60)
        connection.close()

    def let_go() -> None:
        wait_until(_somebody_waits_for_a_lock, "the cancel waits")
        release.set()
        connection.close()

    threads = [threading.Thread(target=target) for target in (renew, let_go)]
    threads[0].start()
    assert locked.wait(60)
    threads[1].start()
    try:
        assert cancel_where(Selection()) == 3
    finally:
        release.set()
        for thread in threads:
            thread.join(60)
    assert Job.objects.filter(status=Status.CANCELLED).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_cancel_that_is_rolled_back_never_was(settings: Settings) -> None:
    settings.WAKEUP_NOTIFY = False
    job = new_job()
    with transaction.atomic():
        cancel(job.id)
        transaction.set_rollback(True)
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert not JobEvent.objects.exists()
