"""Indexes for pages of a job's history and of schedules, built beside live traffic.

They take the place of those that foreign keys brought by themselves. Django would drop these under
a lock that all writers wait behind, and make the reference of a schedule to its owner anew.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_REPLACED = {
    "jobs_jobattempt_job_id_05797094": "jobs_jobattempt (job_id)",
    "jobs_jobevent_job_id_79067df7": "jobs_jobevent (job_id)",
    "jobs_schedule_owner_id_d271a1a0": "jobs_schedule (owner_id)",
}


def _history(name: str, related_name: str) -> migrations.AlterField:
    return migrations.AlterField(
        model_name=name,
        name="job",
        field=models.ForeignKey(
            db_constraint=False,
            db_index=False,
            on_delete=django.db.models.deletion.CASCADE,
            related_name=related_name,
            to="jobs.job",
        ),
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("jobs", "0015_running_totals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="jobattempt",
            index=models.Index(models.F("job"), models.F("ended_at"), name="attempt_of_job"),
        ),
        AddIndexConcurrently(
            model_name="jobevent",
            index=models.Index(models.F("job"), models.F("at"), name="event_of_job"),
        ),
        AddIndexConcurrently(
            model_name="jobevent",
            index=models.Index(
                models.F("job"),
                models.F("at"),
                condition=models.Q(("kind", "retried")),
                name="event_retried",
            ),
        ),
        AddIndexConcurrently(
            model_name="schedule",
            index=models.Index(models.F("owner"), models.F("id"), name="schedule_owner"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                _history("jobattempt", "attempts"),
                _history("jobevent", "events"),
                migrations.AlterField(
                    model_name="schedule",
                    name="owner",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}",
                )
                for name, columns in _REPLACED.items()
            ],
        ),
    ]
