"""Heartbeats, progress and rescue."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs.models import Job
from jobs.queue.lease import heartbeat
from jobs.queue.progress import Progress, report_progress
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.states import Status
from tests.rows import claim, claim_one, expire, new_job

A_LONG_TIME = 1e9  # seconds: more than any test server has run


@pytest.mark.django_db
def test_a_heartbeat_renews_and_names_what_was_lost() -> None:
    kept, lost = new_job(), new_job()
    first, second = claim(2)
    expire(kept.id)
    expire(lost.id)
    Job.objects.filter(id=lost.id).update(lease=second.lease + 1000)
    assert heartbeat({first.lease: first.job_id, second.lease: second.job_id}, 60.0) == {
        second.lease
    }
    kept.refresh_from_db()
    assert kept.lease_expires_at is not None
    assert kept.lease_expires_at > timezone.now() + timedelta(seconds=30)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_settled_is_neither_waited_for_nor_lost() -> None:
    new_job()
    claimed = claim_one()
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update(no_key=True).get(id=claimed.job_id)
            locked.set()
            release.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(60)
    assert heartbeat({claimed.lease: claimed.job_id}, 60.0) == set()
    assert report_progress([Progress(claimed.job_id, claimed.lease, 0.5, "x")]) == set()
    release.set()
    holder.join(60)
    assert report_progress([Progress(claimed.job_id, claimed.lease, 0.5, "x")]) == {claimed.lease}


@pytest.mark.django_db
def test_progress_is_clamped_and_fenced() -> None:
    job = new_job()
    claimed = claim_one()
    report_progress([Progress(job.id, claimed.lease, 7.0, "x\x00" * 300)])
    job.refresh_from_db()
    assert (job.progress, len(job.progress_message)) == (1.0, 200)
    assert report_progress([Progress(job.id, claimed.lease + 1, 0.1, "")]) == set()


@pytest.mark.django_db
def test_rescue_takes_expired_leases_only() -> None:
    live, dead = new_job(), new_job()
    claim(2)
    expire(dead.id)
    assert [(job_id, status) for job_id, status, _ in rescue(0.0, 3)] == [(str(dead.id), "QUEUED")]
    live.refresh_from_db()
    dead.refresh_from_db()
    assert live.status == Status.IN_PROGRESS
    assert (dead.status, dead.lost_leases, dead.attempt) == (Status.QUEUED, 1, 0)
    assert rescue(0.0, 3) == []


@pytest.mark.django_db
def test_three_lost_leases_are_poison() -> None:
    job = new_job()
    for _ in range(3):
        claim_one()
        expire(job.id)
        rescue(0.0, 3)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.lost_leases) == (Status.FAILED, "poison", 3)
    assert "3 times" in job.error_message
    assert "test" in job.error_message


@pytest.mark.django_db
@pytest.mark.parametrize("most_lost_leases", [1, 3])
def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(most_lost_leases: int) -> None:
    job = new_job()
    claim_one()
    Job.objects.update(cancel_requested=True)
    expire(job.id)
    assert [status for _, status, _ in rescue(0.0, most_lost_leases)] == ["CANCELLED"]
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error_message) == (Status.CANCELLED, "", "")
    assert job.completed_at is not None


@pytest.mark.django_db
def test_nothing_is_rescued_right_after_the_servers_start() -> None:
    job = new_job()
    claim_one()
    expire(job.id)
    assert rescue(A_LONG_TIME, 3) == []
    assert len(rescue(0.0, 3)) == 1


@pytest.mark.django_db(transaction=True)
def test_many_rescuers_rescue_each_job_once() -> None:
    for _ in range(50):
        new_job()
    claim(50)
    Job.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    rescued: list[str] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        rescued.extend(job_id for job_id, _, _ in rescue(0.0, 3))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rescued.extend(job_id for job_id, _, _ in rescue(0.0, 3))
    assert len(rescued) == len(set(rescued)) == 50
    assert set(Job.objects.values_list("lost_leases", flat=True)) == {1}


@pytest.mark.django_db
def test_promote_queues_what_is_due_and_only_that() -> None:
    due = new_job(scheduled_at=timezone.now() + timedelta(hours=1))
    later = new_job(scheduled_at=timezone.now() + timedelta(hours=1))
    assert due.status == Status.PENDING
    assert due.queued_at is None
    Job.objects.filter(id=due.id).update(scheduled_at=Now())
    assert promote() == [due.priority]
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.status, later.status) == (Status.QUEUED, Status.PENDING)
    assert claim_one().job_id == due.id
