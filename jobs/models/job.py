"""A job and its metrics. CHECK constraints hold the invariants; partial indexes carry the queue."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from jobs.models.columns import CLOCK, new_id
from jobs.priorities import DEFAULT
from jobs.row_check import RowCheck
from jobs.states import Status

# What holds in every state, and of which fields that speaks.
INVARIANT_FIELDS = (
    "status", "priority", "attempt", "queued_at", "started_at", "completed_at", "lease",
    "lease_expires_at", "progress", "error_message", "error_code",
)  # fmt: skip
INVARIANTS = """
status IN
  ('PENDING', 'THROTTLED', 'QUEUED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED')
AND (status = 'IN_PROGRESS') = (lease_expires_at IS NOT NULL)
AND (lease IS NOT NULL OR lease_expires_at IS NULL)
AND (status IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (completed_at IS NOT NULL)
AND (queued_at IS NOT NULL OR status NOT IN ('QUEUED', 'IN_PROGRESS', 'COMPLETED'))
AND (started_at IS NOT NULL
  OR (attempt = 0 AND status NOT IN ('IN_PROGRESS', 'COMPLETED')))
AND (status = 'FAILED' OR (error_message = '' AND error_code = ''))
AND priority BETWEEN 0 AND 10
AND (progress IS NULL OR progress BETWEEN 0 AND 1)
"""
METRICS_FIELDS = ("peak_cpu_usage", "memory_usage_mb", "processing_time_seconds")
METRICS_INVARIANTS = """
peak_cpu_usage BETWEEN 0 AND 100 AND memory_usage_mb >= 0 AND processing_time_seconds >= 0
"""

# Of these an index has the ids.
STATUSES_BY_ID = (Status.FAILED, Status.IN_PROGRESS)


class Job(models.Model):
    """One piece of work. Its status and priority are the queue."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, blank=True, default="", db_default="")
    job_type = models.CharField(max_length=50)
    source_file = models.CharField(max_length=255)
    target_format = models.CharField(max_length=50)
    parameters = models.JSONField(default=dict, blank=True, db_default={})
    priority = models.SmallIntegerField(default=DEFAULT, db_default=DEFAULT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="jobs",
    )
    # References between jobs are not checked by the database: each check would cost every update of
    # every job, and pruning a job would look for all that point to it.
    parent = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
    )
    replay_of = models.UUIDField(null=True, blank=True, help_text="The job that this one repeats.")
    metadata = models.JSONField(null=True, blank=True, help_text="The client's own, echoed back.")
    callback_url = models.CharField(  # noqa: DJ001 - null costs a row nothing
        max_length=2000, null=True, blank=True, help_text="Told of what becomes of the job."
    )
    throttle_key = models.CharField(
        max_length=60, blank=True, default="", db_default="", editable=False,
        help_text="Jobs of one key share a limit; empty: none.",
    )  # fmt: skip
    notify = models.BooleanField(
        default=False, db_default=False, editable=False,
        help_text="What happens to it goes into the outbox.",
    )  # fmt: skip
    told_at = models.DateTimeField(
        null=True, editable=False, help_text="When its progress was told last."
    )
    fingerprint = models.CharField(max_length=64, blank=True, default="", db_default="")

    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Status])
    created_at = models.DateTimeField(db_default=CLOCK, editable=False)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Fails as expired unless it was started by then."
    )
    queued_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)

    attempt = models.SmallIntegerField(default=0, db_default=0, editable=False)
    max_attempts = models.SmallIntegerField(default=3, db_default=3)
    lost_leases = models.SmallIntegerField(default=0, db_default=0, editable=False)
    lease = models.BigIntegerField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=120, blank=True, default="", db_default="")
    soft_limit_seconds = models.FloatField(null=True, blank=True, help_text="Empty: the type's.")
    hard_limit_seconds = models.FloatField(null=True, blank=True, help_text="Empty: the type's.")

    source_bytes = models.BigIntegerField(null=True, blank=True, editable=False)
    estimated_seconds = models.FloatField(
        null=True, blank=True, editable=False, help_text="Expected when it was submitted."
    )
    progress = models.FloatField(null=True, editable=False)
    progress_message = models.CharField(max_length=200, blank=True, default="", db_default="")
    cancel_requested = models.BooleanField(default=False, db_default=False)
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True, default="", db_default="")
    error_message = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            RowCheck(name="job_is_possible", fields=INVARIANT_FIELDS, condition=INVARIANTS),
        ]
        indexes: ClassVar = [
            models.Index(
                F("priority").desc(), "queued_at", "id", name="job_claim",
                condition=Q(status=Status.QUEUED),
            ),
            models.Index("scheduled_at", name="job_promote", condition=Q(status=Status.PENDING)),
            # Not the expiry: an index on it would cost every heartbeat its heap-only update.
            models.Index("id", name="job_leased", condition=Q(status=Status.IN_PROGRESS)),
            # Of the few jobs that say so; those that have begun do not expire.
            models.Index(
                "expires_at", name="job_expire",
                condition=Q(
                    status__in=(Status.PENDING, Status.THROTTLED, Status.QUEUED),
                    expires_at__isnull=False, started_at__isnull=True,
                ),
            ),
            # Of the few jobs that share a limit: who is in work, and who is next.
            models.Index(
                "throttle_key", name="job_in_work",
                condition=~Q(throttle_key="") & Q(status__in=(Status.QUEUED, Status.IN_PROGRESS)),
            ),
            models.Index(
                "throttle_key", F("priority").desc(), "id", name="job_throttled",
                condition=Q(status=Status.THROTTLED),
            ),
            # The lists of an owner, newest first.
            models.Index(F("owner"), F("id"), name="job_owner", condition=Q(owner__isnull=False)),
            # The items of a batch.
            models.Index(
                F("parent"), F("id"), name="job_parent", condition=Q(parent__isnull=False)
            ),
            # The dead letter, newest first; retention goes by the time of the end.
            models.Index("id", name="job_failed", condition=Q(status=Status.FAILED)),
            models.Index(
                "completed_at", name="job_not_completed",
                condition=Q(status__in=(Status.FAILED, Status.CANCELLED)),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.job_type} {self.id} ({self.status})"


class JobMetrics(models.Model):
    """What a job cost: one row a COMPLETED job, written in the completing transaction.

    The database does not check the reference: that took half the time of a finish, and the row is
    made from the job's own row in one statement (docs/adr/0010-metrics-reference.md).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, related_name="metrics", db_constraint=False
    )
    peak_cpu_usage = models.IntegerField(help_text="Percent of the machine's capacity, 0-100.")
    memory_usage_mb = models.IntegerField(help_text="Peak resident memory in MiB.")
    processing_time_seconds = models.FloatField(help_text="Wall time of the attempt.")
    simulated = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=CLOCK, editable=False)

    class Meta:
        verbose_name_plural = "job metrics"
        constraints: ClassVar = [
            RowCheck(
                name="metrics_are_possible", fields=METRICS_FIELDS, condition=METRICS_INVARIANTS
            ),
        ]
        # By the time of completion: statistics read the newest, retention the oldest.
        indexes: ClassVar = [models.Index("created_at", name="jobmetrics_created")]

    def __str__(self) -> str:
        return f"metrics of {self.job_id}"
