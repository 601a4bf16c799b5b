"""Indexes for the lists of an owner and the items of a batch, built beside live traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("jobs", "0010_client_fields")]

    operations = [
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("owner"),
                models.F("id"),
                condition=models.Q(("owner__isnull", False)),
                name="job_owner",
            ),
        ),
        AddIndexConcurrently(
            model_name="job",
            index=models.Index(
                models.F("parent"),
                models.F("id"),
                condition=models.Q(("parent__isnull", False)),
                name="job_parent",
            ),
        ),
    ]
