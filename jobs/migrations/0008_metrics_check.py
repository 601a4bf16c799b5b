"""The range of metrics as a function, as 0003 does for jobs; safe on a live table in the same way."""

from django.db import migrations

from jobs.row_check import RowCheck

POSSIBLE = """
peak_cpu_usage BETWEEN 0 AND 100 AND memory_usage_mb >= 0 AND processing_time_seconds >= 0
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0007_schedules")]

    operations = [
        migrations.AddConstraint(
            "jobmetrics",
            RowCheck(
                name="metrics_are_possible",
                fields=("peak_cpu_usage", "memory_usage_mb", "processing_time_seconds"),
                condition=POSSIBLE,
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE jobs_jobmetrics VALIDATE CONSTRAINT metrics_are_possible",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint("jobmetrics", "jobmetrics_range"),
    ]
