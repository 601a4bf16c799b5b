"""What happens to a job that somebody is told of is in the outbox once; of others nothing."""

from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from jobs.models import Job, Listener, Outbox
from jobs.outcomes import Cancel, Failed, Interrupted, Outcome, Retry, Snooze
from jobs.queue.cancel import cancel
from jobs.queue.dead_letter import replay, retry
from jobs.queue.expire import expire
from jobs.queue.finish import finish
from jobs.queue.lease import heartbeat
from jobs.queue.limits import release
from jobs.queue.outbox import Happened, hand_over
from jobs.queue.progress import Progress, report_progress
from jobs.queue.promote import promote
from jobs.queue.rescue import rescue
from jobs.queue.submit import NewJob, submit, submit_many
from tests.rows import DONE, claim, claim_one, finished
from tests.rows import expire as lose_lease

URL = "https://example.org/callback"

pytestmark = pytest.mark.django_db


def job(**values: object) -> Job:
    return submit(NewJob("noop", callback_url=URL, **values))  # type: ignore[arg-type]


def told() -> list[str]:
    """The events in the outbox, oldest first, without `job.`."""
    events = Outbox.objects.order_by("id").values_list("event", flat=True)
    return [event.removeprefix("job.") for event in events]


def due() -> None:
    """Let the time of every waiting job come."""
    Job.objects.filter(status="PENDING").update(scheduled_at=Now())
    promote()


def end(outcome: Outcome) -> Callable[[], object]:
    return lambda: finish([finished(claim_one(), outcome)])


def lose() -> None:
    lose_lease(claim_one().job_id)
    rescue(0.0, 1)


def run_out() -> None:
    Job.objects.update(expires_at=Now())
    expire()


LIVES: dict[str, tuple[Sequence[Callable[[], object]], list[str]]] = {
    "completed": ([end(DONE)], ["queued", "started", "completed"]),
    "failed": ([end(Failed("no"))], ["queued", "started", "failed"]),
    "cancelled at work": ([end(Cancel())], ["queued", "started", "cancelled"]),
    "cancelled before": ([lambda: cancel(Job.objects.get().id)], ["queued", "cancelled"]),
    "expired": ([run_out], ["queued", "failed"]),
    "poison": ([lose], ["queued", "started", "failed"]),
    "retried": (
        [end(Retry("once")), due, end(DONE)],
        ["queued", "started", "queued", "started", "completed"],
    ),
    "snoozed": ([end(Snooze(1)), due], ["queued", "started", "queued"]),
    "handed back": ([end(Interrupted())], ["queued", "started", "queued"]),
    "once more": (
        [end(Failed("no")), lambda: retry(Job.objects.get().id), end(DONE)],
        ["queued", "started", "failed", "queued", "started", "completed"],
    ),
    "replayed": (
        [end(DONE), lambda: replay(Job.objects.get().id)],
        ["queued", "started", "completed", "queued"],
    ),
}


@pytest.mark.parametrize("life", LIVES)
def test_every_change_once(life: str) -> None:
    steps, expected = LIVES[life]
    job()
    for step in steps:
        step()
    assert told() == expected
    assert all(row.job["id"] == str(row.job_id) for row in Outbox.objects.all())


def test_a_limit_and_a_time(settings: Settings, alice: User) -> None:
    settings.CONCURRENT_JOBS_LIMIT = 1
    first, second = job(owner_id=alice.pk), job(owner_id=alice.pk)
    assert told() == ["queued"]
    finish([finished(claim_one(), DONE)])
    [row] = Outbox.objects.filter(job_id=first.id, event="job.completed")
    assert (row.owner_id, row.callback_url) == (alice.pk, URL)
    assert row.job["status"] == "COMPLETED"
    release()
    assert Outbox.objects.filter(job_id=second.id, event="job.queued").count() == 1


def test_a_rollback_takes_it_back() -> None:
    with transaction.atomic():
        job()
        transaction.set_rollback(True)
    assert told() == []


def test_whom_nobody_is_told_of(alice: User, bob: User) -> None:
    Listener.objects.create(owner=alice)
    quiet = [
        NewJob("noop"),
        NewJob("noop", owner_id=bob.pk),
        NewJob("noop", owner_id=alice.pk, internal=True),
    ]
    loud = NewJob("noop", owner_id=alice.pk)
    for new in quiet:
        submit(new)
    submit_many(quiet)
    claim(6)
    assert told() == []
    ids = {submit(loud).id, *submit_many([loud, *quiet])[:1]}
    assert set(Outbox.objects.values_list("job_id", flat=True)) == ids
    assert told() == ["queued", "queued"]


def test_progress_is_told_now_and_then() -> None:
    job()
    attempt = claim_one()

    def report(progress: float | None) -> None:
        report_progress([Progress(attempt.job_id, attempt.lease, progress, "on")])

    for progress in (None, 0.1, 0.2, 0.2):
        report(progress)
        heartbeat({attempt.lease: attempt.job_id}, 30.0)
    assert told() == ["queued", "started", "progress"]
    Job.objects.update(told_at="2020-01-01T00:00:00Z")
    Outbox.objects.all().delete()
    report(0.2)
    assert told() == []  # it has not moved
    report(0.3)
    report(0.4)
    [row] = Outbox.objects.all()
    assert (row.event, row.job["progress"]) == ("job.progress", 0.3)


seen: list[Happened] = []


def keep(happened: Sequence[Happened]) -> None:
    """A reader."""
    seen.extend(happened)


def refuse(happened: Sequence[Happened]) -> None:
    """A reader that breaks."""
    raise ValueError


def test_handed_over_in_order_and_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    monkeypatch.setattr("jobs.queue.outbox.BATCH", 2)
    ids = [job().id for _ in range(5)]
    settings.OUTBOX_READER = f"{__name__}.refuse"
    with pytest.raises(ValueError), transaction.atomic():  # noqa: PT011
        hand_over()
    assert len(told()) == 5
    settings.OUTBOX_READER = f"{__name__}.keep"
    assert hand_over(60.0) is False
    assert [one.job_id for one in seen] == ids
    assert told() == []
