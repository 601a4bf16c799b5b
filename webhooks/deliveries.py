"""Deliveries: made, put into the queue, sent once more, forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.queue.limits import DELIVERIES
from jobs.queue.submit import NewJob, submit_many
from jobs.states import FINAL
from webhooks.models import Delivery, Endpoint
from webhooks.payload import body_of
from webhooks.policy import KEEP_DELIVERIES, MAX_ATTEMPTS, MOST_REPLAYED, TEST_EVENT

JOB_TYPE = "webhook"
PENDING = Delivery.Status.PENDING


class StillPending(Exception):
    """It is being delivered."""


def queue(deliveries: Sequence[Delivery]) -> None:
    """Write new deliveries, and a job for each, in their order."""
    with transaction.atomic():
        for delivery, job_id in zip(deliveries, _submit(deliveries), strict=True):
            delivery.sender = job_id
        Delivery.objects.bulk_create(deliveries)


def send_test(endpoint: Endpoint) -> Delivery:
    """Tell an endpoint that this is a test."""
    data: dict[str, Any] = {"endpoint": str(endpoint.id)}
    delivery = Delivery(
        owner_id=endpoint.owner_id,
        endpoint=endpoint,
        event=TEST_EVENT,
        body=body_of(TEST_EVENT, timezone.now(), data),
    )
    queue([delivery])
    return delivery


def replay(delivery_id: UUID) -> Delivery:
    """Deliver it again, with the same id and all attempts. Raises StillPending."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(id=delivery_id)
        if delivery.status == PENDING and not _given_up(delivery):
            raise StillPending
        _again([delivery])
    return delivery


def replay_since(endpoint: Endpoint, since: datetime, *, delivered: bool) -> int:
    """Deliver again what was settled since: failed and dropped, with `delivered` all. Returns how
    many, at most MOST_REPLAYED, the oldest first."""
    wanted = {Delivery.Status.FAILED, Delivery.Status.DROPPED}
    if delivered:
        wanted.add(Delivery.Status.DELIVERED)
    with transaction.atomic():
        found = endpoint.deliveries.filter(created_at__gte=since, status__in=wanted)
        deliveries = list(found.order_by("id").select_for_update()[:MOST_REPLAYED])
        _again(deliveries)
    return len(deliveries)


def before(delivery: Delivery) -> Job | None:
    """The sender of an earlier delivery of the same job to the same address, while it is not done;
    the first of them. One that ended without saying so keeps nobody."""
    earlier = Delivery.objects.filter(
        job_id=delivery.job_id,
        endpoint=delivery.endpoint_id,
        url=delivery.url,
        number__lt=delivery.number,
        status=PENDING,
    )
    senders = earlier.order_by("number").values_list("sender", flat=True)
    jobs = Job.objects.filter(id__in=list(senders)).exclude(status__in=FINAL)
    return jobs.order_by("id").first()


def prune(most: int) -> None:
    """Forget at most so many of those made long ago."""
    old = Delivery.objects.filter(created_at__lt=timezone.now() - KEEP_DELIVERIES)
    ids = list(old.order_by("created_at").values_list("id", flat=True)[:most])
    if ids:
        Delivery.objects.filter(id__in=ids).delete()


def _given_up(delivery: Delivery) -> bool:
    """Whether its job ended without saying so: cancelled, or lost too often."""
    return not Job.objects.filter(id=delivery.sender).exclude(status__in=FINAL).exists()


def _again(deliveries: Sequence[Delivery]) -> None:
    for delivery, job_id in zip(deliveries, _submit(deliveries), strict=True):
        delivery.sender, delivery.status, delivery.settled_at = job_id, PENDING, None
    Delivery.objects.bulk_update(deliveries, ["sender", "status", "settled_at"])


def _submit(deliveries: Sequence[Delivery]) -> list[UUID]:
    return submit_many(
        [
            NewJob(
                JOB_TYPE,
                parameters={"delivery": str(delivery.id)},
                priority=settings.WEBHOOK_PRIORITY,
                max_attempts=MAX_ATTEMPTS,
                owner_id=delivery.owner_id,
                name=delivery.event,
                internal=True,
            )
            for delivery in deliveries
        ],
        DELIVERIES,
    )
