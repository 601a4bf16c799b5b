"""The invariants as functions, which PostgreSQL plans once a session and not once a statement.

Safe on a live table: the new check holds for new rows at once, validation of the old ones does not
lock the table, and the old check goes last.
"""

from django.db import migrations

from jobs.row_check import RowCheck

POSSIBLE = """
job.status IN
  ('PENDING', 'THROTTLED', 'QUEUED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED')
AND (job.status = 'IN_PROGRESS') = (job.lease_expires_at IS NOT NULL)
AND (job.lease IS NOT NULL OR job.lease_expires_at IS NULL)
AND (job.status IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (job.completed_at IS NOT NULL)
AND (job.queued_at IS NOT NULL OR job.status NOT IN ('QUEUED', 'IN_PROGRESS', 'COMPLETED'))
AND (job.started_at IS NOT NULL
  OR (job.attempt = 0 AND job.status NOT IN ('IN_PROGRESS', 'COMPLETED')))
AND (job.status = 'FAILED' OR (job.error_message = '' AND job.error_code = ''))
AND job.priority BETWEEN 0 AND 10
AND (job.progress IS NULL OR job.progress BETWEEN 0 AND 1)
"""
IN_RANGE = """
metrics.peak_cpu_usage BETWEEN 0 AND 100
AND metrics.memory_usage_mb >= 0
AND metrics.processing_time_seconds >= 0
"""


def validate(table: str, constraint: str) -> migrations.RunSQL:
    """Check the rows that are there already."""
    return migrations.RunSQL(
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}", migrations.RunSQL.noop
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0002_queue")]

    operations = [
        migrations.AddConstraint(
            "job", RowCheck(name="job_is_possible", row="job", condition=POSSIBLE)
        ),
        migrations.AddConstraint(
            "jobmetrics", RowCheck(name="jobmetrics_in_range", row="metrics", condition=IN_RANGE)
        ),
        validate("jobs_job", "job_is_possible"),
        validate("jobs_jobmetrics", "jobmetrics_in_range"),
        migrations.RemoveConstraint("job", "job_invariants"),
        migrations.RemoveConstraint("jobmetrics", "jobmetrics_range"),
    ]
