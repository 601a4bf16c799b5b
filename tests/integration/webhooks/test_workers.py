"""Webhooks by real worker processes."""

import os
import signal
import threading
import time
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.queue.submit import NewJob, submit
from tests.receiver import Receiver, SilentReceiver, silent_receiver
from tests.waiting import wait_until
from tests.workers import Workers, WorkerUnderTest, wait_final
from webhooks import endpoints
from webhooks.deliveries import replay_since, send_test
from webhooks.models import Delivery, Endpoint

# Of THREADS one owner holds LIMIT. MANY deliveries of ten seconds each would hold all for minutes.
THREADS, LIMIT, MANY = 3, 2, 60

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def start(workers: Workers, lease_seconds: int) -> WorkerUnderTest:
    """A worker that may call this machine."""
    return workers.start(
        "--queue", "all", WEBHOOK_ALLOW_PRIVATE="True", POOLS=f"all=0-10:{THREADS}",
        WEBHOOK_CONCURRENT_LIMIT=str(LIMIT),
        JOB_LEASE_SECONDS=str(lease_seconds), JOB_RETRY_SCAN_SECONDS="1",
    )  # fmt: skip


def test_told_soon_in_order_and_once_more_by_a_replay(
    workers: Workers, alice: User, endpoint: Endpoint, hook: Receiver
) -> None:
    start(workers, lease_seconds=10)
    began = time.monotonic()
    jobs = [submit(NewJob("noop", owner_id=alice.pk)).id for _ in range(5)]
    wait_until(lambda: len(completed(hook)) == 5, "all is told")
    assert time.monotonic() - began < 45
    told: dict[str, list[object]] = {}
    for one in {each.id: each for each in reversed(hook.received)}.values():
        event: Any = one.event(endpoint.secret)
        told.setdefault(event["data"]["id"], []).insert(0, event["type"])
    assert set(told) == {str(job) for job in jobs}
    for events in told.values():  # a busy machine may hand a job back before it is begun
        again = len(events) // 2
        assert events == ["job.queued", "job.started"] * again + ["job.completed"]
    wait_until(lambda: not Delivery.objects.filter(status="pending").exists(), "all is noted")

    hook.received.clear()
    since = timezone.now() - timedelta(hours=1)
    assert replay_since(endpoint, since, delivered=True) == Delivery.objects.count()
    wait_until(
        lambda: len({one.id for one in hook.received}) == Delivery.objects.count(),
        "all is told again",
    )


def completed(hook: Receiver) -> set[str]:
    """The ids of what told of a completed job."""
    return {one.id for one in hook.received if b'"job.completed"' in one.body}


def test_a_worker_that_dies_while_it_tells(
    workers: Workers, alice: User, endpoint: Endpoint, hook: Receiver
) -> None:
    """The receiver has it, and the worker will never know."""
    received = threading.Event()
    let_go = threading.Event()

    def hold() -> None:
        received.set()
        let_go.wait(60)

    hook.when_received = hold
    dies = start(workers, lease_seconds=3)
    submit(NewJob("noop", owner_id=alice.pk))
    assert received.wait(60)
    os.kill(dies.pid, signal.SIGKILL)
    dies.wait()
    hook.when_received = lambda: None
    let_go.set()
    start(workers, lease_seconds=10)
    wait_until(lambda: Delivery.objects.filter(status="delivered").count() == 3, "all is told")
    ids = [one.id for one in hook.received]
    assert ids.count(ids[0]) == 2
    assert hook.received[0].body == next(one.body for one in hook.received[1:] if one.id == ids[0])
    assert len(set(ids)) == 3


def test_who_never_answers_holds_no_more_threads_than_his_limit(
    workers: Workers, alice: User, bob: User, hook: Receiver
) -> None:
    """Others' deliveries and all other jobs do not wait for them."""
    with silent_receiver() as silent:
        slow = endpoints.create(alice, 0, url=silent.url)
        for _ in range(MANY):
            send_test(slow)
        submit(NewJob("noop", owner_id=alice.pk, callback_url=silent.url))
        start(workers, lease_seconds=10)
        wait_until(lambda: silent.received >= LIMIT, "as many as may are under way")

        quick = endpoints.create(bob, 0, url=hook.url)
        told, job = send_test(quick), submit(NewJob("noop", owner_id=alice.pk))
        of_nobody = submit(NewJob("noop", callback_url=hook.url))
        wait_final(told.sender, job.id, of_nobody.id)
        wait_until(lambda: str(of_nobody.id).encode() in completed_bodies(hook), "nobody's is told")

        assert told.id in {UUID(one.id) for one in hook.received}
        # Whoever waited for these would have waited longer than any test does.
        assert Delivery.objects.filter(owner=alice, attempts=None).count() > MANY // 2
        for _ in range(3 * LIMIT):
            expected = silent.received + 1
            silent.drop()
            wait_until(partial(came, silent, expected), "the next one has its turn")
        assert silent.most == LIMIT
    assert not Delivery.objects.filter(owner=alice).exclude(status="pending").exists()


def came(silent: SilentReceiver, requests: int) -> bool:
    """Whether so many requests came."""
    return silent.received >= requests


def completed_bodies(hook: Receiver) -> bytes:
    """All that tells of completed jobs."""
    return b"".join(one.body for one in hook.received if b'"job.completed"' in one.body)
