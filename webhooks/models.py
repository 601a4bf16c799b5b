"""Where owners are told of their jobs, and what they were told."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from jobs.models import CLOCK, new_id
from webhooks.policy import ROTATION
from webhooks.secrets import new_nonce, secret_of, secrets_of


class Signing(models.Model):
    """A row that has a secret, and for a while the one before."""

    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    old_nonce = models.CharField(max_length=32, blank=True, default="", editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def secret(self) -> str:
        """For its receiver."""
        return secret_of(self.nonce)

    def secrets(self, now: datetime) -> list[str]:
        """All that sign now."""
        made = secrets_of(self.nonce)
        if self.old_secret_until is not None and now < self.old_secret_until:
            made += secrets_of(self.old_nonce)
        return made

    def rotate(self, now: datetime) -> None:
        """A new secret from now on, beside which the old one signs for a day. Not saved."""
        self.nonce, self.old_nonce, self.old_secret_until = new_nonce(), self.nonce, now + ROTATION


class Endpoint(Signing):
    """An address that is told of its owner's jobs.

    events: those it wants; none means all. failing_since: nothing went well since then.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="endpoints"
    )
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True, default="")
    events = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=CLOCK, editable=False)

    class Meta(Signing.Meta):
        abstract = False
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.url} of {self.owner_id}"

    def wants(self, event: str) -> bool:
        """Whether it is told of this."""
        return not self.events or event in self.events


class CallbackSecret(Signing):
    """What signs the calls to the callback_url of an owner's jobs."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"callbacks of {self.owner_id}"


class Delivery(models.Model):
    """One thing that one address is told; its id is the `webhook-id` of every attempt.

    endpoint: none for a callback, whose address is `url`. number: in order for each job.
    sender: the job that delivers it.
    """

    class Status(models.TextChoices):
        """How it stands."""

        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"  # nobody tries any more
        DROPPED = "dropped"  # the endpoint was disabled before

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="+",
    )
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, null=True, db_index=False, related_name="deliveries"
    )
    url = models.CharField(max_length=2000, blank=True, default="")
    job_id = models.UUIDField(null=True)
    number = models.BigIntegerField(default=0)
    event = models.CharField(max_length=20)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField(db_default=CLOCK)
    settled_at = models.DateTimeField(null=True)
    sender = models.UUIDField()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index("endpoint", "id", name="delivery_endpoint"),
            models.Index("owner", "id", name="delivery_owner"),
            models.Index(
                "job_id", "number", name="delivery_pending", condition=Q(status="pending")
            ),
            models.Index("created_at", name="delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.job_id}: {self.status}"


class DeliveryAttempt(models.Model):
    """What one attempt came to: an answer, or why there was none. answer: hostile text."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(db_default=CLOCK)
    status = models.SmallIntegerField(null=True)
    milliseconds = models.IntegerField()
    answer = models.CharField(max_length=1024, blank=True, default="")
    error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.status or self.error} after {self.milliseconds} ms"
