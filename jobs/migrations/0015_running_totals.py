"""Running totals in place of rollups, from which they are made.

Safe on a live table: it reads and writes statistics only, and nobody but maintenance waits, which
passes. The rollups stay for the processes of the version before, which read them until they are
replaced; a later release drops the table. A worker of that version cannot move the mark over ends any
more: it would add to a table that takes no rows, and tries again until it is replaced. So each end is
counted once.
"""

from collections import defaultdict
from datetime import timedelta
from itertools import groupby, zip_longest
from typing import Any

import django.contrib.postgres.fields
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NOBODY, EVERYBODY = 0, -1
WRITTEN_AT_ONCE = 2_000


class Total:
    """Of one series."""

    def __init__(self) -> None:
        self.jobs = 0
        self.wait_seconds = self.run_seconds = 0.0
        self.waits: list[int] = []
        self.runs: list[int] = []

    def add(self, rollup: Any) -> None:
        """Put the rollup to it."""
        self.jobs += rollup.jobs
        self.wait_seconds += rollup.wait_seconds
        self.run_seconds += rollup.run_seconds
        self.waits = [a + b for a, b in zip_longest(self.waits, rollup.waits, fillvalue=0)]
        self.runs = [a + b for a, b in zip_longest(self.runs, rollup.runs, fillvalue=0)]


def total_up(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the totals of the rollups."""
    job_total = apps.get_model("jobs", "JobTotal")
    # Nobody adds to the rollups meanwhile.
    list(apps.get_model("jobs", "RollupMark").objects.select_for_update().filter(id=1))
    job_rollup: Any = apps.get_model("jobs", "JobRollup")  # type: ignore[misc]  # no longer there
    ends = models.F("begins_at") + models.F("seconds") * timedelta(seconds=1)
    rollups = job_rollup.objects.annotate(
        until=models.ExpressionWrapper(ends, models.DateTimeField())
    ).order_by("until")
    totals: defaultdict[tuple[int, int, str, str], Total] = defaultdict(Total)
    rows: list[Any] = []
    for until, ended in groupby(rollups.iterator(WRITTEN_AT_ONCE), key=lambda rollup: rollup.until):
        touched = set()
        for rollup in ended:
            for owner in (rollup.owner_id or NOBODY, EVERYBODY):
                series = (owner, rollup.priority, rollup.job_type, rollup.status)
                totals[series].add(rollup)
                touched.add(series)
        rows += [
            job_total(
                owner_id=owner, priority=priority, job_type=job_type, status=status, until=until,
                **vars(totals[owner, priority, job_type, status]),
            )
            for owner, priority, job_type, status in touched
        ]  # fmt: skip
        if len(rows) > WRITTEN_AT_ONCE:
            job_total.objects.bulk_create(rows)
            rows = []
    job_total.objects.bulk_create(rows)


# The version before adds everything up anew, from the jobs that are left.
FORGET_MARK = "DELETE FROM jobs_rollupmark WHERE id IN (1, 3, 4)"

FREEZE = "ALTER TABLE jobs_jobrollup ADD CONSTRAINT rollups_are_frozen CHECK (false) NOT VALID"
EMPTY = "TRUNCATE jobs_jobrollup; ALTER TABLE jobs_jobrollup DROP CONSTRAINT rollups_are_frozen"


class Migration(migrations.Migration):
    dependencies = [("jobs", "0014_rollup_owner")]

    operations = [
        migrations.CreateModel(
            name="JobTotal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "owner_id",
                    models.BigIntegerField(
                        help_text="0: of those without an owner; -1: of all jobs."
                    ),
                ),
                ("priority", models.SmallIntegerField()),
                ("job_type", models.CharField(max_length=50)),
                ("status", models.CharField(max_length=12)),
                ("until", models.DateTimeField(help_text="What ended before it is in here.")),
                ("jobs", models.BigIntegerField()),
                ("wait_seconds", models.FloatField(help_text="The sum, from queued to started.")),
                ("run_seconds", models.FloatField(help_text="The sum, from started to ended.")),
                (
                    "waits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Jobs by length of wait, log scale.",
                        size=None,
                    ),
                ),
                (
                    "runs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Jobs by length of run, log scale.",
                        size=None,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(models.F("until"), name="total_until")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner_id", "priority", "job_type", "status", "until"),
                        name="total_once",
                    )
                ],
            },
        ),
        migrations.RunPython(total_up, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, FORGET_MARK),
        migrations.RunSQL(FREEZE, EMPTY, state_operations=[migrations.DeleteModel("JobRollup")]),
    ]
