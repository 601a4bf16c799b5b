"""What happened to jobs, for those who want to be told: a table that a trigger on jobs fills.

Safe on a live table: the new columns are null or have a constant default, and the triggers are made
under the same brief lock. What the function says follows the code (jobs/queue/functions.py).
"""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LIFE = import_module("jobs.migrations.0005_life")

# What a job that nobody is told of pays is the condition: PostgreSQL parses it for every statement, so
# a longer one would cost more (docs/adr/0020-outbox.md). The function asks what has changed.
TRIGGERS = """
CREATE OR REPLACE FUNCTION jobs_tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER jobs_tell_new AFTER INSERT ON jobs_job
FOR EACH ROW WHEN (NEW.notify) EXECUTE FUNCTION jobs_tell();
CREATE TRIGGER jobs_tell AFTER UPDATE OF status, told_at ON jobs_job
FOR EACH ROW WHEN (NEW.notify) EXECUTE FUNCTION jobs_tell()
"""
NO_TRIGGERS = """
DROP TRIGGER jobs_tell ON jobs_job;
DROP TRIGGER jobs_tell_new ON jobs_job
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0012_idempotency"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", models.UUIDField()),
                ("owner_id", models.BigIntegerField(null=True)),
                ("callback_url", models.CharField(max_length=2000, null=True)),
                ("event", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("job", models.JSONField()),
            ],
            options={"db_table": "jobs_outbox"},
        ),
        migrations.CreateModel(
            name="Listener",
            fields=[
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunSQL(LIFE.LOCK, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="job",
            name="notify",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="What happens to it goes into the outbox.",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="told_at",
            field=models.DateTimeField(
                editable=False, help_text="When its progress was told last.", null=True
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
