"""Indexes for expiry, limits, the dead letter, retention and statistics, built beside live traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import jobs.states


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0005_life")]

    operations = [
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("expires_at"),
                condition=models.Q(
                    ("expires_at__isnull", False),
                    ("started_at__isnull", True),
                    (
                        "status__in",
                        (
                            jobs.states.Status["PENDING"],
                            jobs.states.Status["THROTTLED"],
                            jobs.states.Status["QUEUED"],
                        ),
                    ),
                ),
                name="job_expire",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("id"),
                condition=models.Q(("status", jobs.states.Status["FAILED"])),
                name="job_failed",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("completed_at"),
                condition=models.Q(
                    ("status__in", (jobs.states.Status["FAILED"], jobs.states.Status["CANCELLED"]))
                ),
                name="job_not_completed",
            ),
        ),
        AddIndexConcurrently(
            model_name="jobmetrics",
            index=models.Index(models.F("created_at"), name="jobmetrics_created"),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("throttle_key"),
                condition=models.Q(
                    models.Q(("throttle_key", ""), _negated=True),
                    (
                        "status__in",
                        (jobs.states.Status["QUEUED"], jobs.states.Status["IN_PROGRESS"]),
                    ),
                ),
                name="job_in_work",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("throttle_key"),
                models.OrderBy(models.F("priority"), descending=True),
                models.F("id"),
                condition=models.Q(("status", jobs.states.Status["THROTTLED"])),
                name="job_throttled",
            ),
        ),
    ]
