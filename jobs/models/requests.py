"""What is remembered of requests for a while."""

from typing import ClassVar

from django.db import models

from jobs.models.columns import CLOCK


class IdempotencyKey(models.Model):
    """The answer to a POST that made something, for whoever sends it again.

    digest: of owner, method, address and the key that the client gave. fingerprint: of the body.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    location = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField()
    created_at = models.DateTimeField(db_default=CLOCK, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index("created_at", name="idempotencykey_created")]

    def __str__(self) -> str:
        return self.digest


class RequestCount(models.Model):
    """Requests of one client in its last minute. The table is not logged: after a crash it is
    empty, and counting costs no write to disk."""

    client = models.CharField(max_length=80, primary_key=True)
    minute = models.DateTimeField()
    requests = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.client}: {self.requests}"
