"""The shapes of the API's bodies. What the values must mean is for processors to say."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from jobs.api.fields import Moment, PriorityField, StatusField, StrictSerializer, TextField
from jobs.models import Job, JobMetrics
from jobs.processors.registry import processors
from jobs.states import Status


class SubmissionSerializer(StrictSerializer):
    """The body of submit_job. Which of the first two are there depends on the job type."""

    source_file = TextField(max_length=255)
    target_format = TextField(max_length=50)
    priority = PriorityField(default=None)
    job_type = TextField(max_length=50, default=None)
    parameters = serializers.DictField(
        default=dict, error_messages={"not_a_dict": "Give an object."}
    )

    def to_internal_value(self, data: Any) -> Any:
        """Without the fields that jobs of this type do not have."""
        for name in _not_taken(data):
            del self.fields[name]
        return super().to_internal_value(data)


def _not_taken(data: Any) -> tuple[str, ...]:
    """The fields that jobs of the given type do not have."""
    job_type = data.get("job_type") if isinstance(data, Mapping) else None
    processor = processors().get(job_type) if isinstance(job_type, str) else None
    return () if processor is None else processor.not_taken


class SubmittedSerializer(serializers.Serializer[Job]):
    """The answer of submit_job."""

    job_id = serializers.UUIDField(source="id")
    status = StatusField()
    priority = PriorityField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    created_at = Moment()
    queued_at = Moment(allow_null=True)
    message = serializers.CharField(read_only=True, default="Job submitted successfully")


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
    status = StatusField()
    error_message = serializers.SerializerMethodField()
    created_at = Moment()
    queued_at = Moment(allow_null=True)
    started_at = Moment(allow_null=True)
    completed_at = Moment(allow_null=True)
    metrics = MetricsSerializer(allow_null=True)

    def get_error_message(self, job: Job) -> str | None:
        """Only FAILED jobs have one."""
        return job.error_message if job.status == Status.FAILED else None
