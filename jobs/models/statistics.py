"""What ended jobs add up to, so that statistics never scan them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class JobTotal(models.Model):
    """Ended jobs up to a moment, of one owner or of all: how many, how long they waited and ran.

    A running total for each owner, priority, job type and status; what ended between two moments
    is the difference of two rows.
    """

    id = models.BigAutoField(primary_key=True)
    owner_id = models.BigIntegerField(help_text="0: of those without an owner; -1: of all jobs.")
    priority = models.SmallIntegerField()
    job_type = models.CharField(max_length=50)
    status = models.CharField(max_length=12)
    until = models.DateTimeField(help_text="What ended before it is in here.")
    jobs = models.BigIntegerField()
    wait_seconds = models.FloatField(help_text="The sum, from queued to started.")
    run_seconds = models.FloatField(help_text="The sum, from started to ended.")
    waits = ArrayField(models.BigIntegerField(), help_text="Jobs by length of wait, log scale.")
    runs = ArrayField(models.BigIntegerField(), help_text="Jobs by length of run, log scale.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner_id", "priority", "job_type", "status", "until"], name="total_once"
            )
        ]
        # Old ones are thinned out and forgotten by their time.
        indexes: ClassVar = [models.Index("until", name="total_until")]

    def __str__(self) -> str:
        return f"{self.jobs} {self.job_type} {self.status} until {self.until}"


class RollupMark(models.Model):
    """How far a sweep over ended jobs is. Row 1: up to when they are added up. Row 2: when the
    last round of pruning began. Row 3: up to when totals of minutes are thinned out to hours. Row
    4: up to when totals are forgotten."""

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
