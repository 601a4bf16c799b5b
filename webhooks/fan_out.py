"""From what happened to jobs to what is delivered: OUTBOX_READER."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.contrib.auth.models import User

from jobs.queue.outbox import Happened
from webhooks.deliveries import prune, queue
from webhooks.models import Delivery, Endpoint
from webhooks.payload import body_of


def fan_out(happened: Sequence[Happened]) -> None:
    """A delivery for each endpoint of the owner that wants it, and for the job's callback_url.

    Called in the transaction that takes these rows out of the outbox.
    """
    owners = {one.owner_id for one in happened if one.owner_id is not None}
    known = set(User.objects.filter(pk__in=owners).values_list("pk", flat=True))
    endpoints: dict[int | None, list[Endpoint]] = defaultdict(list)
    for endpoint in Endpoint.objects.filter(owner__in=known, enabled=True):
        endpoints[endpoint.owner_id].append(endpoint)
    deliveries = [
        delivery
        for one in happened
        if one.owner_id is None or one.owner_id in known
        for delivery in _deliveries(one, endpoints[one.owner_id])
    ]
    if deliveries:
        queue(deliveries)
        prune(2 * len(deliveries))


def _deliveries(one: Happened, endpoints: Sequence[Endpoint]) -> Iterator[Delivery]:
    body = body_of(one.event, one.at, one.job)
    for endpoint in endpoints:
        if endpoint.wants(one.event):
            yield _delivery(one, body, endpoint=endpoint)
    if one.callback_url is not None:
        yield _delivery(one, body, url=one.callback_url)


def _delivery(
    one: Happened, body: str, *, endpoint: Endpoint | None = None, url: str = ""
) -> Delivery:
    return Delivery(
        owner_id=one.owner_id,
        endpoint=endpoint,
        url=url,
        job_id=one.job_id,
        number=one.number,
        event=one.event,
        body=body,
    )
