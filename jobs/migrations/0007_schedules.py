"""Schedules say why they stopped, and cannot hold what a job's row would refuse."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0006_life_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="schedule", name="schedule_due"),
        migrations.AddField(
            model_name="schedule",
            name="error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Why it fires no more, until it is edited.",
                max_length=500,
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="next_fire_at",
            field=models.DateTimeField(
                editable=False,
                help_text="Stays while paused: what passes meanwhile was missed. Empty: see the error.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                models.F("next_fire_at"),
                condition=models.Q(("paused", False)),
                name="schedule_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_attempts__gte", 1), ("priority__range", (0, 10))),
                name="schedule_is_possible",
                violation_error_message="Priorities run from 0 to 10, attempts from 1.",
            ),
        ),
    ]
