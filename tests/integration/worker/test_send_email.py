"""Mail by a real worker process and a real SMTP server."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.functions import Now

from jobs.models import Job
from jobs.queue.submit import NewJob, submit
from jobs.states import Status
from tests.service import free_port
from tests.smtp_server import Mailbox, smtp_server
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ANNE, BEN = "anne@example.org", "ben@example.org"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as mailbox:
        yield mailbox


def mail(*recipients: str, **values: Any) -> Job:
    parameters = {"recipient": list(recipients), "subject": "Done", "body": "It is done."}
    return submit(NewJob("send_email", parameters=parameters, priority=9, **values))


def backs_off(worker: WorkerUnderTest, job: Job) -> Job:
    """The job once its first attempt has failed: it waits for minutes."""
    wait_until(lambda: worker.events("job.ended"), "the attempt ends")
    wait_until(lambda: job_of(job).status == Status.PENDING, "it backs off")
    return job_of(job)


def job_of(job: Job) -> Job:
    """Its row now."""
    return Job.objects.get(id=job.id)


def hurry(job: Job) -> None:
    """Let its time come now."""
    Job.objects.filter(id=job.id).update(scheduled_at=Now())


def test_a_mail_arrives(workers: Workers, mailbox: Mailbox) -> None:
    workers.start("--queue", "high", EMAIL_URL=mailbox.url)

    [job] = wait_final(mail(ANNE, BEN).id)

    assert job.status == Status.COMPLETED
    [message] = mailbox.to(ANNE)
    assert job.result == {
        "message_ids": [f"<{job.id}.0@localhost>", f"<{job.id}.1@localhost>"],
    }
    assert message["Message-ID"] == f"<{job.id}.0@localhost>"


def test_refused_for_good(workers: Workers, mailbox: Mailbox) -> None:
    mailbox.refuse(ANNE, "550 no such user")
    workers.start("--queue", "high", EMAIL_URL=mailbox.url)

    [job] = wait_final(mail(ANNE, max_attempts=5).id)

    assert (job.status, job.error_code, job.attempt) == (Status.FAILED, "mail_refused", 1)
    assert "550 no such user" in job.error_message


def test_refused_for_now_is_sent_later_to_those_who_have_not_got_it(
    workers: Workers, mailbox: Mailbox
) -> None:
    mailbox.refuse(BEN, "451 come back later")
    worker = workers.start("--queue", "high", EMAIL_URL=mailbox.url)
    job = backs_off(worker, mail(ANNE, BEN))
    assert "451 come back later" in worker.events("job.ended")[0]["error"]

    hurry(job)

    [job] = wait_final(job.id)
    assert (job.status, job.attempt) == (Status.COMPLETED, 2)
    assert (len(mailbox.to(ANNE)), len(mailbox.to(BEN))) == (1, 1)


def test_a_server_that_is_away_is_waited_for(workers: Workers) -> None:
    port = free_port()
    worker = workers.start("--queue", "high", EMAIL_URL=f"smtp://127.0.0.1:{port}")
    job = backs_off(worker, mail(ANNE))
    assert "ConnectionRefusedError" in worker.events("job.ended")[0]["error"]

    with smtp_server(port) as mailbox:
        hurry(job)
        [job] = wait_final(job.id)

    assert (job.status, job.attempt) == (Status.COMPLETED, 2)
    assert len(mailbox.to(ANNE)) == 1


def test_who_is_tried_in_vain_fails(workers: Workers, mailbox: Mailbox) -> None:
    mailbox.refuse(ANNE, "451 come back later", times=2)
    worker = workers.start("--queue", "high", EMAIL_URL=mailbox.url)
    job = backs_off(worker, mail(ANNE, max_attempts=2))

    hurry(job)

    [job] = wait_final(job.id)
    assert (job.status, job.error_code) == (Status.FAILED, "mail_deferred")


def test_receivers_can_tell_what_a_killed_worker_sent_twice(
    workers: Workers, mailbox: Mailbox
) -> None:
    victim = workers.start("--queue", "high", EMAIL_URL=mailbox.url)
    mailbox.when_taken = lambda: victim.send(signal.SIGKILL)
    job = mail(ANNE)
    victim.wait()
    mailbox.when_taken = lambda: None

    workers.start("--queue", "high", EMAIL_URL=mailbox.url)

    [job] = wait_final(job.id)
    assert (job.status, job.lost_leases) == (Status.COMPLETED, 1)
    assert [message["Message-ID"] for message in mailbox.to(ANNE)] == [
        f"<{job.id}.0@localhost>"
    ] * 2
