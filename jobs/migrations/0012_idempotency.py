"""Answers that are kept for repeated requests, and counts of requests. New tables only."""

from django.db import migrations, models

import jobs.models.columns


class Migration(migrations.Migration):
    dependencies = [("jobs", "0011_client_indexes")]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.SmallIntegerField()),
                ("location", models.CharField(blank=True, default="", max_length=500)),
                ("body", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=jobs.models.columns.CLOCK, editable=False),
                ),
            ],
            options={"indexes": [models.Index("created_at", name="idempotencykey_created")]},
        ),
        migrations.CreateModel(
            name="RequestCount",
            fields=[
                ("client", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("minute", models.DateTimeField()),
                ("requests", models.IntegerField()),
            ],
        ),
        # Every request updates a row: on a page with room its index stays as it is.
        migrations.RunSQL(
            "ALTER TABLE jobs_requestcount SET UNLOGGED;"
            " ALTER TABLE jobs_requestcount SET (fillfactor = 50)",
            migrations.RunSQL.noop,
        ),
    ]
