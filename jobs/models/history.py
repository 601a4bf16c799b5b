"""What happened to a job beside its own row.

None of these references is checked by the database: a check would cost every update of every job
(docs/adr/0010-metrics-reference.md). Whoever deletes a job deletes its history first.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from jobs.models.columns import CLOCK
from jobs.models.job import Job


class JobAttempt(models.Model):
    """An attempt that did not complete its job. One that did, or is under way, is told by the job's
    own row: nearly every job has no other, and costs nothing here."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="attempts", db_constraint=False, db_index=False
    )
    number = models.SmallIntegerField()
    worker = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_default=CLOCK)
    outcome = models.CharField(
        max_length=20, help_text="retry, snoozed, failed, cancelled, interrupted or lost."
    )
    error_code = models.CharField(max_length=50, blank=True, default="", db_default="")
    error_message = models.TextField(blank=True, default="", db_default="")
    traceback = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index("job", "ended_at", name="attempt_of_job")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}: {self.outcome}"


class JobEvent(models.Model):
    """What somebody did to a job: asked to cancel, retry or replay it."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="events", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(db_default=CLOCK)
    kind = models.CharField(max_length=20)
    actor = models.CharField(max_length=150, blank=True, default="", db_default="")
    detail = models.JSONField(default=dict, db_default={})

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index("job", "at", name="event_of_job"),
            models.Index("job", "at", name="event_retried", condition=Q(kind="retried")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id}"


class JobCheckpoint(models.Model):
    """What a processor saved for its next attempt: small JSON, written under the job's lease."""

    job = models.OneToOneField(
        Job,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="checkpoint",
        db_constraint=False,
    )
    state = models.JSONField(default=dict, db_default={})
    steps = models.JSONField(default=dict, db_default={}, help_text="Results by name of the step.")
    saved_at = models.DateTimeField(db_default=CLOCK)

    def __str__(self) -> str:
        return f"checkpoint of {self.job_id}"
