"""The invariants of a job as a function, which PostgreSQL plans once a session and not once a statement.

Safe on a live table: the new check holds for new rows at once, validation of the old ones does not
lock the table, and the old one goes last.
"""

from django.db import migrations

from jobs.row_check import RowCheck

JOB_FIELDS = (
    "status", "priority", "attempt", "queued_at", "started_at", "completed_at", "lease",
    "lease_expires_at", "progress", "error_message", "error_code",
)  # fmt: skip
POSSIBLE = """
status IN
  ('PENDING', 'THROTTLED', 'QUEUED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED')
AND (status = 'IN_PROGRESS') = (lease_expires_at IS NOT NULL)
AND (lease IS NOT NULL OR lease_expires_at IS NULL)
AND (status IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (completed_at IS NOT NULL)
AND (queued_at IS NOT NULL OR status NOT IN ('QUEUED', 'IN_PROGRESS', 'COMPLETED'))
AND (started_at IS NOT NULL
  OR (attempt = 0 AND status NOT IN ('IN_PROGRESS', 'COMPLETED')))
AND (status = 'FAILED' OR (error_message = '' AND error_code = ''))
AND priority BETWEEN 0 AND 10
AND (progress IS NULL OR progress BETWEEN 0 AND 1)
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0002_queue")]

    operations = [
        migrations.AddConstraint(
            "job", RowCheck(name="job_is_possible", fields=JOB_FIELDS, condition=POSSIBLE)
        ),
        migrations.RunSQL(
            "ALTER TABLE jobs_job VALIDATE CONSTRAINT job_is_possible", migrations.RunSQL.noop
        ),
        migrations.RemoveConstraint("job", "job_invariants"),
    ]
