"""An owner's statistics, built beside live traffic."""

import django.db.models.functions
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0013_outbox")]

    operations = [
        AddIndexConcurrently(
            model_name="jobrollup",
            index=models.Index(
                django.db.models.functions.Coalesce("owner_id", 0),
                models.F("begins_at"),
                include=(
                    "owner_id",
                    "priority",
                    "job_type",
                    "status",
                    "jobs",
                    "wait_seconds",
                    "run_seconds",
                ),
                name="rollup_owner",
            ),
        ),
    ]
