"""Endpoints: made, changed, disabled. Whether an owner listens at all follows from them."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs.models import Listener
from jobs.queue.submit import NewJob, submit
from jobs.targets import check_target
from webhooks.models import CallbackSecret, Endpoint
from webhooks.transport import resolve

GONE = "It answered 410."
FAILING = "Nothing went well for days."

log = structlog.get_logger(__name__)

_MAIL = """Your endpoint {url} is told of nothing any more: {reason}

What is not delivered meanwhile can be replayed once it is enabled again.
"""


class TooManyEndpoints(Exception):
    """The owner's plan has no more."""


def check_url(url: str) -> None:
    """Raise BadTarget, or OSError for a host that is not found, unless it may be called now."""
    check_target(url, private=settings.WEBHOOK_ALLOW_PRIVATE)
    parts = urlsplit(url)
    resolve(parts.hostname or "", parts.port or 0)


def create(owner: User, most: int, **values: Any) -> Endpoint:
    """A new endpoint. most: how many the owner may have; 0 for any number.

    Raises TooManyEndpoints.
    """
    with transaction.atomic():
        _lock(owner.pk)
        if most and Endpoint.objects.filter(owner=owner).count() >= most:
            raise TooManyEndpoints
        endpoint = Endpoint.objects.create(owner=owner, **values)
        _listen(owner.pk)
    return endpoint


def update(endpoint: Endpoint, **values: Any) -> None:
    """Change it. Enabled again, it starts with a clean record."""
    if values.get("enabled"):
        values |= {"disabled_reason": "", "failing_since": None}
    with transaction.atomic():
        _lock(endpoint.owner_id)
        for name, value in values.items():
            setattr(endpoint, name, value)
        endpoint.save(update_fields=list(values))
        _listen(endpoint.owner_id)


def delete(endpoint: Endpoint) -> None:
    """Remove it and its log."""
    with transaction.atomic():
        _lock(endpoint.owner_id)
        endpoint.delete()
        _listen(endpoint.owner_id)


def rotate(endpoint: Endpoint) -> None:
    """A new secret."""
    endpoint.rotate(timezone.now())
    endpoint.save(update_fields=["nonce", "old_nonce", "old_secret_until"])


def rotate_callbacks(owner: User) -> CallbackSecret:
    """The secret of the owner's callbacks: the first one, or a new one."""
    with transaction.atomic():
        _lock(owner.pk)
        secret, created = CallbackSecret.objects.get_or_create(owner=owner)
        if not created:
            secret.rotate(timezone.now())
            secret.save()
    return secret


def disable(endpoint: Endpoint, reason: str) -> None:
    """Tell it of nothing any more, and its owner of that, where there is a mail server."""
    update(endpoint, enabled=False, disabled_reason=reason)
    log.warning("webhook.disabled", endpoint=str(endpoint.id), url=endpoint.url, reason=reason)
    address = endpoint.owner.email
    if settings.EMAIL_HOST and address:
        mail = {
            "recipient": address,
            "subject": "A webhook endpoint was disabled",
            "body": _MAIL.format(url=endpoint.url, reason=reason),
        }
        submit(NewJob("send_email", parameters=mail, owner_id=endpoint.owner_id, internal=True))


def _lock(owner_id: int) -> None:
    """Of two changes to an owner's endpoints one waits."""
    User.objects.select_for_update(no_key=True).get(pk=owner_id)


def _listen(owner_id: int) -> None:
    if Endpoint.objects.filter(owner_id=owner_id, enabled=True).exists():
        Listener.objects.get_or_create(owner_id=owner_id)
    else:
        Listener.objects.filter(owner_id=owner_id).delete()
