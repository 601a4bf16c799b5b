"""Indexes for pages of a job's history and of schedules, built beside live traffic.

They take the place of those that foreign keys bring by themselves.
"""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


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
        migrations.AlterField(
            model_name="jobattempt",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.CASCADE,
                related_name="attempts",
                to="jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="jobevent",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.CASCADE,
                related_name="events",
                to="jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
