"""The shapes of the API's bodies. What the values must mean is for processors to say."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import Moment, PriorityField, StrictSerializer, TextField
from jobs.models import Job, JobMetrics
from jobs.priorities import DEFAULT
from jobs.states import Status


class SubmissionSerializer(StrictSerializer):
    """The body of submit_job."""

    source_file = TextField(max_length=255)
    target_format = TextField(max_length=50)
    priority = PriorityField(default=DEFAULT)
    job_type = TextField(max_length=50, default=None)
    parameters = serializers.DictField(
        default=dict, error_messages={"not_a_dict": "Give an object."}
    )


class SubmittedSerializer(serializers.Serializer[Job]):
    """The answer of submit_job."""

    job_id = serializers.UUIDField(source="id")
    status = serializers.CharField()
    priority = PriorityField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    created_at = Moment()
    queued_at = Moment()
    message = serializers.ReadOnlyField(default="Job submitted successfully")


class MetricsSerializer(serializers.Serializer[JobMetrics]):
    """What a COMPLETED job cost."""

    peak_cpu_usage = serializers.IntegerField()
    memory_usage_mb = serializers.IntegerField()
    processing_time_seconds = serializers.FloatField()
    simulated = serializers.BooleanField()

    def to_representation(self, instance: JobMetrics) -> dict[str, Any]:
        """`simulated` is shown only where it is true."""
        shown = super().to_representation(instance)
        if not instance.simulated:
            del shown["simulated"]
        return shown


class JobStatusSerializer(serializers.Serializer[Job]):
    """The answer of job status."""

    id = serializers.UUIDField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    priority = PriorityField()
    status = serializers.CharField()
    error_message = serializers.SerializerMethodField()
    created_at = Moment()
    queued_at = Moment()
    started_at = Moment()
    completed_at = Moment()
    metrics = MetricsSerializer(allow_null=True)

    def get_error_message(self, job: Job) -> str | None:
        """Only FAILED jobs have one."""
        return job.error_message if job.status == Status.FAILED else None
