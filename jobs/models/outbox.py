"""What happened to jobs of which somebody wants to be told, until it is handed over."""

from django.conf import settings
from django.db import models


class Listener(models.Model):
    """An owner who is told of the jobs that he submits from now on."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"listener {self.owner_id}"


class Outbox(models.Model):
    """One thing that happened to a job, as it stood then. A trigger on jobs_job writes it, in the
    transaction of what happened (jobs/queue/outbox.sql).

    job: what is told of it. It refers to no other row: the job may be gone when it is read.
    """

    id = models.BigAutoField(primary_key=True)
    job_id = models.UUIDField()
    owner_id = models.BigIntegerField(null=True)
    callback_url = models.CharField(max_length=2000, null=True)  # noqa: DJ001 - as the job's
    event = models.CharField(max_length=20)
    at = models.DateTimeField()
    job = models.JSONField()

    class Meta:
        db_table = "jobs_outbox"

    def __str__(self) -> str:
        return f"{self.event} {self.job_id}"
