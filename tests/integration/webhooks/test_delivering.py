"""What a delivery comes to, worked off in the test's own thread at a real receiver."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from jobs.models import Job, Listener, Outbox
from jobs.queue.outbox import hand_over
from jobs.queue.submit import NewJob, submit
from jobs.testing import work_off
from tests.receiver import Receiver
from tests.smtp_server import Mailbox
from webhooks import endpoints
from webhooks.deliveries import prune, replay_since, send_test
from webhooks.models import Delivery, Endpoint
from webhooks.policy import MAX_ATTEMPTS, SCHEDULE
from webhooks.processor import LONGEST_BEHIND_WAITING, turn

pytestmark = pytest.mark.django_db


def happen(**values: Any) -> Job:
    """A job that is done, and what is to be told of it in the queue."""
    job = submit(NewJob("noop", **values))
    work_off()
    hand_over()
    return job


def tell(*, early: bool = False) -> None:
    """Deliver until all is settled or waits; `early`: however long it is to wait."""
    work_off(early=early)


def waits() -> list[float]:
    """For how many seconds after its last attempt each sender waits."""
    senders = Job.objects.filter(job_type="webhook", status="PENDING").order_by("id")
    return [
        (one.scheduled_at - one.attempts.latest("id").ended_at).total_seconds()
        for one in senders
        if one.scheduled_at
    ]


def only_completed(endpoint: Endpoint) -> None:
    endpoints.update(endpoint, events=["job.completed"])


def test_the_life_of_a_job_in_order(alice: User, endpoint: Endpoint, hook: Receiver) -> None:
    job = happen(owner_id=alice.pk, name="film", metadata={"order": 7})
    hook.answer(500)
    tell()
    assert len(hook.received) == 1  # the others wait for the first one
    tell(early=True)

    told = [one.event(endpoint.secret) for one in hook.received]
    assert [one["type"] for one in told] == [
        "job.queued", "job.queued", "job.started", "job.completed",
    ]  # fmt: skip
    assert hook.received[0].id == hook.received[1].id
    assert len({one.id for one in hook.received}) == 3
    last: Any = told[-1]["data"]
    assert (last["id"], last["name"], last["status"]) == (str(job.id), "film", "COMPLETED")
    assert last["metadata"] == {"order": 7}
    assert "result" not in last
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(hook.received[0].body, hook.received[0].headers)
    assert not Outbox.objects.exists()  # nobody is told of what tells
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_day_of_failures(alice: User, endpoint: Endpoint, hook: Receiver) -> None:
    only_completed(endpoint)
    happen(owner_id=alice.pk)
    hook.answer(302, MAX_ATTEMPTS, b"x" * 2000, Location=hook.url)
    planned = []
    for _ in range(MAX_ATTEMPTS):
        Job.objects.filter(job_type="webhook", status="PENDING").update(scheduled_at=Now())
        tell()
        planned += waits()
    assert len(planned) == len(SCHEDULE)
    for seconds, planned_ in zip(planned, SCHEDULE, strict=True):
        assert planned_ - 1 < seconds < planned_ * 1.2 + 1
    [delivery] = Delivery.objects.all()
    assert (delivery.status, delivery.attempts.count()) == ("failed", MAX_ATTEMPTS)
    assert delivery.attempts.values_list("status", "answer")[0] == (302, "x" * 1024)
    endpoint.refresh_from_db()
    assert endpoint.enabled
    assert endpoint.failing_since is not None


@pytest.mark.parametrize(
    ("status", "retry_after", "least", "most"),
    [(503, "120", 119, 121), (429, "2", 4, 7), (502, "999999", 35_999, 36_001), (500, "120", 4, 7)],
)
def test_a_server_that_is_busy(
    alice: User, endpoint: Endpoint, hook: Receiver,
    status: int, retry_after: str, least: float, most: float,
) -> None:  # fmt: skip
    only_completed(endpoint)
    happen(owner_id=alice.pk)
    hook.answer(status, Retry_After=retry_after)
    tell()
    [seconds] = waits()
    assert least < seconds < most


def test_gone_for_good(alice: User, endpoint: Endpoint, hook: Receiver, mailbox: Mailbox) -> None:
    happen(owner_id=alice.pk)
    hook.answer(410)
    tell(early=True)

    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, endpoints.GONE)
    assert not Listener.objects.exists()
    assert len(hook.received) == 1
    assert sorted(Delivery.objects.values_list("status", flat=True)) == [
        "dropped", "dropped", "failed",
    ]  # fmt: skip
    [(recipients, _)] = mailbox.taken
    assert recipients == [alice.email]
    endpoints.update(endpoint, enabled=True)
    assert replay_since(endpoint, timezone.now() - timedelta(hours=1), delivered=False) == 3
    tell(early=True)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_days_of_failures_disable(alice: User, endpoint: Endpoint, hook: Receiver) -> None:
    only_completed(endpoint)
    happen(owner_id=alice.pk)
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
    hook.answer(500, MAX_ATTEMPTS)
    tell(early=True)
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, endpoints.FAILING)


def test_a_success_clears_the_record(endpoint: Endpoint) -> None:
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=9))
    send_test(endpoint)
    tell()
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_both_secrets_sign_for_a_day(
    endpoint: Endpoint, hook: Receiver, settings: Settings
) -> None:
    old = endpoint.secret
    endpoints.rotate(endpoint)
    send_test(endpoint)
    tell()
    assert endpoint.secret != old
    for secret in (old, endpoint.secret):
        hook.received[0].event(secret)
    Endpoint.objects.update(old_secret_until=timezone.now())
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
    send_test(endpoint)
    tell()
    hook.received[1].event(endpoint.secret)
    settings.SECRET_KEY = settings.SECRET_KEY_FALLBACKS.pop()
    hook.received[1].event(endpoint.secret)
    with pytest.raises(WebhookVerificationError):
        hook.received[1].event(old)


def test_callbacks(alice: User, hook: Receiver) -> None:
    happen(owner_id=alice.pk, callback_url=hook.url)
    tell(early=True)
    assert len(hook.received) == 3
    assert not any("webhook-signature" in one.headers for one in hook.received)
    own = endpoints.rotate_callbacks(alice)
    happen(owner_id=alice.pk, callback_url=hook.url)
    happen(callback_url=hook.url)
    tell(early=True)
    signed = [one for one in hook.received if "webhook-signature" in one.headers]
    assert len(hook.received) == 9
    assert [one.event(own.secret)["type"] for one in signed] == [
        "job.queued", "job.started", "job.completed",
    ]  # fmt: skip


def test_of_an_owner_who_is_gone(alice: User, endpoint: Endpoint) -> None:
    job = submit(NewJob("noop", owner_id=alice.pk, callback_url="https://example.org/"))
    alice.delete()
    assert not Job.objects.filter(id=job.id).exists()
    hand_over()
    assert not Outbox.objects.exists()
    assert not Delivery.objects.exists()


def test_an_earlier_one_that_nobody_sends_keeps_nobody(
    alice: User, endpoint: Endpoint, hook: Receiver
) -> None:
    happen(owner_id=alice.pk)
    first = Delivery.objects.order_by("number")[0]
    Job.objects.filter(id=first.sender).delete()
    tell(early=True)
    assert len(hook.received) == 2


def test_the_longer_an_earlier_one_waits_for_a_slot_the_longer_the_later_ones_stand_back() -> None:
    """However many these are, it will have its turn."""
    made = timezone.now() - timedelta(seconds=20)
    earlier = Job(status="THROTTLED", created_at=made)
    assert 20 <= turn(earlier) < LONGEST_BEHIND_WAITING
    earlier.scheduled_at = timezone.now()  # to be tried again since then
    assert turn(earlier) < 20
    earlier.scheduled_at = made - timedelta(days=1)
    assert turn(earlier) == LONGEST_BEHIND_WAITING


def test_the_log_is_pruned(endpoint: Endpoint) -> None:
    old, new = send_test(endpoint), send_test(endpoint)
    Delivery.objects.filter(id=old.id).update(created_at=timezone.now() - timedelta(days=31))
    prune(5)
    assert Delivery.objects.get().id == new.id
