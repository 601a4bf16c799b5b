"""What clients put on a job, and the bodies of large batches.

Safe on a live table: the new columns are null, so that no row is written.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

LIFE = import_module("jobs.migrations.0005_life")


class Migration(migrations.Migration):
    dependencies = [("jobs", "0009_schedule_owner")]

    operations = [
        migrations.CreateModel(
            name="BatchPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("body", models.BinaryField()),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="jobs.job",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("job", "number"), name="batch_part_once")
                ],
            },
        ),
        migrations.RunSQL(LIFE.LOCK, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="job",
            name="metadata",
            field=models.JSONField(
                blank=True, help_text="The client's own, echoed back.", null=True
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="callback_url",
            field=models.CharField(
                blank=True,
                help_text="Told of what becomes of the job.",
                max_length=2000,
                null=True,
            ),
        ),
    ]
