"""The body of a large batch, until its jobs are there."""

from typing import ClassVar

from django.db import models

from jobs.models.job import Job


class BatchPart(models.Model):
    """One piece of what a client sent, as it came: kept beside the job that imports it, so that any
    worker can read it."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    number = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "number"], name="batch_part_once")
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.job_id}"
