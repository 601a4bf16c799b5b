"""The shapes of the API's bodies. What the values must mean is for processors to say."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, NoReturn, cast

from rest_framework import serializers

from jobs.models import Job, JobMetrics
from jobs.priorities import BY_NAME, HIGHEST, LOWEST, name_of
from jobs.processors.registry import processors
from jobs.states import Status

MAX_UNKNOWN_NAMED = 20
MAX_SHOWN = 100


class TextField(serializers.CharField):
    """A string that is taken as it is: no numbers, no trimming."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is not a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PriorityField(serializers.Field[int, Any, str, int]):
    """A name or a number in the request, a number inside, the name in the answer."""

    default_error_messages = {  # noqa: RUF012 - REST framework merges these by class
        "invalid": f"Give {', '.join(BY_NAME)} or an integer from {LOWEST} to {HIGHEST}.",
        "invalid_choice": f"There is no such priority. Known: {', '.join(BY_NAME)}.",
        "out_of_range": f"The number must be from {LOWEST} to {HIGHEST}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """The number of a priority."""
        if isinstance(data, str):
            return BY_NAME[data] if data in BY_NAME else self._refuse("invalid_choice")
        if isinstance(data, bool) or not isinstance(data, int):
            self._refuse("invalid")
        return data if LOWEST <= data <= HIGHEST else self._refuse("out_of_range")

    def to_representation(self, value: int) -> str:
        """The name of a priority."""
        return name_of(value)

    def _refuse(self, code: str) -> NoReturn:
        self.fail(code)


class Moment(serializers.DateTimeField):
    """ISO 8601 in UTC with a `Z`, whatever TIME_ZONE is."""

    def __init__(self) -> None:
        super().__init__(default_timezone=UTC)


class SubmissionSerializer(serializers.Serializer[Any]):
    """The body of submit_job. Which of the first two are there depends on the job type."""

    source_file = TextField(max_length=255)
    target_format = TextField(max_length=50)
    priority = PriorityField(default=None)
    job_type = TextField(max_length=50, default=None)
    parameters = serializers.DictField(
        default=dict, error_messages={"not_a_dict": "Give an object."}
    )

    def to_internal_value(self, data: Any) -> Any:
        """Also refuse fields that are not declared: a misspelt one would be ignored silently."""
        for name in _not_taken(data):
            del self.fields[name]
        unknown = self._unknown(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                {**unknown, **cast("dict[str, Any]", error.detail)}
            ) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown(self, data: Any) -> dict[str, list[serializers.ErrorDetail]]:
        if not isinstance(data, Mapping):
            return {}
        names = [name[:MAX_SHOWN] for name in data if name not in self.fields]
        detail = f"There is no such field. Known: {', '.join(self.fields)}."
        return {
            name: [serializers.ErrorDetail(detail, "unknown_field")]
            for name in names[:MAX_UNKNOWN_NAMED]
        }


def _not_taken(data: Any) -> tuple[str, ...]:
    """The fields that jobs of the given type do not have."""
    job_type = data.get("job_type") if isinstance(data, Mapping) else None
    processor = processors().get(job_type) if isinstance(job_type, str) else None
    return () if processor is None else processor.not_taken


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
