"""What ended jobs add up to, so that statistics never scan them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce


class JobRollup(models.Model):
    """Ended jobs of one stretch of time: how many, how long they waited and ran."""

    id = models.BigAutoField(primary_key=True)
    begins_at = models.DateTimeField()
    seconds = models.IntegerField(help_text="How long the stretch is.")
    priority = models.SmallIntegerField()
    job_type = models.CharField(max_length=50)
    owner_id = models.BigIntegerField(null=True)
    status = models.CharField(max_length=12)
    jobs = models.IntegerField()
    wait_seconds = models.FloatField(help_text="The sum, from queued to started.")
    run_seconds = models.FloatField(help_text="The sum, from started to ended.")
    waits = ArrayField(models.IntegerField(), help_text="Jobs by length of wait, log scale.")
    runs = ArrayField(models.IntegerField(), help_text="Jobs by length of run, log scale.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["begins_at", "seconds", "priority", "job_type", "owner_id", "status"],
                nulls_distinct=False,
                name="rollup_once",
            )
        ]
        # An owner's counts read his entries here and nothing of the table.
        indexes: ClassVar = [
            models.Index(
                Coalesce("owner_id", 0), "begins_at", name="rollup_owner",
                include=(
                    "owner_id", "priority", "job_type", "status",
                    "jobs", "wait_seconds", "run_seconds",
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.jobs} {self.job_type} {self.status} from {self.begins_at}"


class RollupMark(models.Model):
    """How far a sweep over ended jobs is. Row 1: up to when they are rolled up. Row 2: when the
    last round of pruning began."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    reached = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.reached)


class DurationHistory(models.Model):
    """How long jobs of a kind took, for the estimate that a new one is given."""

    id = models.BigAutoField(primary_key=True)
    job_type = models.CharField(max_length=50)
    target_format = models.CharField(max_length=50)
    size_class = models.SmallIntegerField(help_text="log2 of the source's bytes; -1: no source.")
    jobs = models.IntegerField(help_text="How many it was learnt from.")
    mean_seconds = models.FloatField(help_text="The newest weigh most.")
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["job_type", "target_format", "size_class"], name="duration_history_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_type} {self.target_format} 2^{self.size_class}: {self.mean_seconds} s"
