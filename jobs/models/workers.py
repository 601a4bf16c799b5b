"""Who works, who is not to, and how much: worker processes, paused pools, submissions a minute."""

from typing import ClassVar

from django.db import models

from jobs.models.columns import CLOCK, new_id

REMOTE = "remote/"  # begins the names of remote workers


class WorkerProcess(models.Model):
    """A `run_workers` process or a remote worker, and when it was last heard of. For people and
    health checks: no rule of the queue depends on it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, help_text="host:pid")
    version = models.CharField(max_length=20)
    pools = models.JSONField(help_text="Threads by pool.")
    wakeup = models.JSONField(default=dict, help_text="State of each wake-up signal.")
    started_at = models.DateTimeField(db_default=CLOCK, editable=False)
    seen_at = models.DateTimeField(db_default=CLOCK, editable=False)
    drain_requested = models.BooleanField(
        default=False, db_default=False, help_text="It shall finish what it has and end."
    )

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "worker processes"

    def __str__(self) -> str:
        return self.name


class PausedPool(models.Model):
    """A pool that claims nothing until it is resumed: the row is there while it is paused."""

    name = models.CharField(max_length=31, primary_key=True)
    paused_at = models.DateTimeField(db_default=CLOCK, editable=False)
    paused_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class SubmissionCount(models.Model):
    """How many jobs were submitted in the newest minute that had any, by what shares the limit."""

    throttle_key = models.CharField(max_length=60, primary_key=True)
    minute = models.DateTimeField()
    jobs = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.throttle_key}: {self.jobs} at {self.minute:%H:%M}"
