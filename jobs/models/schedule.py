"""Recurring schedules, and what they fired."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.models.columns import CLOCK, new_id
from jobs.priorities import DEFAULT, HIGHEST, LOWEST


class MissedRuns(models.TextChoices):
    """What happens to runs whose time passed while no worker lived, or while paused."""

    SKIP = "skip", "Skip them"
    ONE = "one", "Make up for them by one run"
    ALL = "all", "Make up for each"


class Schedule(models.Model):
    """A job that is submitted again and again, by a cron expression in a time zone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    cron = models.CharField(max_length=100, help_text="Five fields, for example 30 2 * * mon-fri.")
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    missed_runs = models.CharField(
        max_length=4, choices=MissedRuns, default=MissedRuns.ONE, db_default=MissedRuns.ONE
    )
    paused = models.BooleanField(default=False, db_default=False)
    next_fire_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Stays while paused: what passes meanwhile was missed. Empty: see the error.",
    )
    error = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Why it fires no more, until it is edited.",
    )

    job_type = models.CharField(max_length=50)
    source_file = models.CharField(max_length=255, blank=True, default="", db_default="")
    target_format = models.CharField(max_length=50, blank=True, default="", db_default="")
    parameters = models.JSONField(default=dict, blank=True, db_default={})
    priority = models.SmallIntegerField(default=DEFAULT, db_default=DEFAULT)
    max_attempts = models.SmallIntegerField(default=3, db_default=3)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, db_index=False
    )
    created_at = models.DateTimeField(db_default=CLOCK, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            # Of one owner: another's names are nobody's to find out.
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="schedule_of_owner",
                nulls_distinct=False,
                violation_error_message="A schedule of this owner with this name already exists.",
            ),
            # What a job's row would refuse is refused before it is due.
            models.CheckConstraint(
                name="schedule_is_possible",
                condition=Q(priority__range=(LOWEST, HIGHEST), max_attempts__gte=1),
                violation_error_message="Priorities run from 0 to 10, attempts from 1.",
            ),
        ]
        indexes: ClassVar = [
            models.Index("next_fire_at", name="schedule_due", condition=Q(paused=False)),
            # The list of an owner.
            models.Index("owner", "id", name="schedule_owner"),
        ]

    def __str__(self) -> str:
        return self.name


class ScheduleFire(models.Model):
    """One time at which a schedule fired. That it is unique, and nothing else, is why any number of
    maintainers never fire it twice."""

    id = models.BigAutoField(primary_key=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="fires")
    fire_at = models.DateTimeField()
    job_id = models.UUIDField()
    fired_at = models.DateTimeField(db_default=CLOCK)

    class Meta:
        ordering: ClassVar = ["-fire_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "fire_at"], name="schedule_fires_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.fire_at}"
