"""The job type that delivers."""

import random
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.outcomes import Cancel, Completed, Failed, Outcome, Retry, Snooze
from jobs.processors.contract import Context, RetryPolicy, TimeLimits
from jobs.processors.declaration import processor
from jobs.processors.meter import Meter
from jobs.processors.parameters import Declared
from jobs.states import Status
from webhooks import endpoints
from webhooks.deliveries import JOB_TYPE, before
from webhooks.models import CallbackSecret, Delivery, DeliveryAttempt, Endpoint
from webhooks.payload import headers_of
from webhooks.policy import (
    BUSY,
    DISABLE_AFTER,
    GONE,
    JITTER,
    LONGEST_RETRY_AFTER,
    MAX_ATTEMPTS,
    SCHEDULE,
)
from webhooks.transport import SECONDS, Answer, post

# For the turn of a delivery: at first so long, then as long as the one before has taken, or, where
# that waits for its own turn, has waited.
LEAST_WAIT, LONGEST_WAIT, LONGEST_BEHIND_WAITING = 0.3, 5.0, 60.0


class WebhookParameters(Declared):
    """What is delivered."""

    delivery: str


@processor(
    JOB_TYPE,
    parameters=WebhookParameters,
    internal=True,
    retry=RetryPolicy(max_attempts=MAX_ATTEMPTS),
    # One attempt ends by itself; a resolver may hang longer.
    limits=TimeLimits(soft=2 * SECONDS, hard=4 * SECONDS),
)
def webhook(context: Context, parameters: WebhookParameters) -> Outcome:
    """Tell an endpoint, or a callback_url, what happened to a job.

    The service submits it. It is tried for a day. A worker that dies between the receiver's answer
    and its own note of it sends it again, with the same `webhook-id`.
    """
    delivery = (
        Delivery.objects.select_related("endpoint")
        .filter(id=UUID(parameters.delivery), sender=context.attempt.id, status="pending")
        .first()
    )
    if delivery is None:
        return Cancel("It was settled, or is sent by another job.")
    if delivery.endpoint is not None and not delivery.endpoint.enabled:
        _settle(delivery, Delivery.Status.DROPPED)
        return Cancel("The endpoint is disabled.")
    earlier = before(delivery)
    if earlier is not None:
        return Snooze(turn(earlier), "An earlier one is not delivered yet.")
    meter = Meter()
    answer = _send(delivery)
    last = context.attempt.number >= context.attempt.max_attempts
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery,
            status=answer.status,
            milliseconds=answer.milliseconds,
            answer=answer.text,
            error=answer.error,
        )
        _note(delivery, answer, last=last)
    told = answer.error or f"It answered {answer.status}."
    if answer.ok:
        return Completed(meter.metrics(), {"status": answer.status})
    if answer.status == GONE:
        return Failed(told, code="gone")
    return Retry(told, code="not_delivered", after=_pause(context.attempt.number, answer))


def _send(delivery: Delivery) -> Answer:
    now = timezone.now()
    url = delivery.endpoint.url if delivery.endpoint else delivery.url
    headers = headers_of(str(delivery.id), delivery.body, _secrets(delivery, now), now)
    return post(url, delivery.body.encode(), headers)


def _secrets(delivery: Delivery, now: datetime) -> list[str]:
    """A callback is signed once its owner has asked for a secret; of no owner it never is."""
    if delivery.endpoint is not None:
        return delivery.endpoint.secrets(now)
    own = CallbackSecret.objects.filter(owner=delivery.owner_id).first()
    return own.secrets(now) if own else []


def _note(delivery: Delivery, answer: Answer, *, last: bool) -> None:
    """What the attempt means for the delivery and its endpoint."""
    endpoint = delivery.endpoint
    now = timezone.now()
    if answer.ok:
        _settle(delivery, Delivery.Status.DELIVERED)
        if endpoint and endpoint.failing_since:
            Endpoint.objects.filter(id=endpoint.id).update(failing_since=None)
        return
    gone = answer.status == GONE
    if last or gone:
        _settle(delivery, Delivery.Status.FAILED)
    if endpoint is None:
        return
    Endpoint.objects.filter(id=endpoint.id, failing_since=None).update(failing_since=now)
    if gone:
        endpoints.disable(endpoint, endpoints.GONE)
    elif last and endpoint.failing_since and endpoint.failing_since < now - DISABLE_AFTER:
        endpoints.disable(endpoint, endpoints.FAILING)


def _settle(delivery: Delivery, status: Delivery.Status) -> None:
    Delivery.objects.filter(id=delivery.id).update(status=status, settled_at=timezone.now())


def turn(earlier: Job) -> float:
    """How long to wait for an earlier delivery."""
    now = timezone.now()
    if earlier.status == Status.PENDING and earlier.scheduled_at is not None:
        return max(0.0, (earlier.scheduled_at - now).total_seconds()) + LEAST_WAIT
    if earlier.status == Status.IN_PROGRESS and earlier.started_at is not None:
        taken = (now - earlier.started_at).total_seconds()
        return min(max(taken, LEAST_WAIT), LONGEST_WAIT)
    if earlier.status == Status.THROTTLED:
        # After a replay it waits behind those that were submitted before it: should many of these
        # come back soon, they would take all turns, and it would never have its own.
        waited = (now - (earlier.scheduled_at or earlier.created_at)).total_seconds()
        return min(max(waited, LEAST_WAIT), LONGEST_BEHIND_WAITING)
    return LEAST_WAIT


def _pause(number: int, answer: Answer) -> float:
    """Seconds until the next attempt after this one, counted from 1."""
    planned = SCHEDULE[min(number, len(SCHEDULE)) - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311
    if answer.status in BUSY and answer.retry_after is not None:
        return max(planned, min(answer.retry_after, LONGEST_RETRY_AFTER))
    return planned
