"""The shapes of the jobs resource."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from accounts.plans import UNLIMITED, Plan
from jobs.api.fields import (
    Moment,
    PriorityField,
    StatusField,
    StrictSerializer,
    TargetField,
    TextField,
)
from jobs.api.metadata import MetadataField
from jobs.api.scheduled_at import SchedulingSerializer
from jobs.api.serializers import MetricsSerializer
from jobs.models import Job
from jobs.priorities import name_of
from jobs.queue.progress import seconds_left
from jobs.states import Status
from jobs.submission import Submission
from jobs.targets import BadTarget, check_target

MAX_RETRIES = 100
LONGEST_SECONDS = 30 * 86_400.0


class SecondsField(serializers.FloatField):
    """A length of time: above 0, at most thirty days."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", 0.001)
        super().__init__(max_value=LONGEST_SECONDS, default=None, allow_null=True, **options)


class CallbackField(TargetField):
    """Where the client wants to be told of what becomes of the job."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what cannot be called."""
        url = super().to_internal_value(data)
        try:
            check_target(url, private=settings.WEBHOOK_ALLOW_PRIVATE)
        except BadTarget as error:
            raise serializers.ValidationError(str(error), code="bad_target") from None
        return url


class NewJobSerializer(SchedulingSerializer, StrictSerializer):
    """The body of POST jobs."""

    job_type = TextField(max_length=50, default=None, allow_null=True)
    source_file = TextField(max_length=255, default="", allow_blank=True)
    target_format = TextField(max_length=50, default="", allow_blank=True)
    parameters = serializers.DictField(
        default=dict, error_messages={"not_a_dict": "Give an object."}
    )
    name = TextField(max_length=100, default="", allow_blank=True)
    priority = PriorityField(default=None, allow_null=True)
    max_retries = serializers.IntegerField(
        min_value=0, max_value=MAX_RETRIES, default=None, allow_null=True
    )
    pending_timeout_seconds = SecondsField(min_value=0)
    soft_limit_seconds = SecondsField()
    hard_limit_seconds = SecondsField()
    metadata = MetadataField(default=None, allow_null=True)
    callback_url = CallbackField(default=None, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A job says what is to be done; a soft limit comes before the hard one."""
        attrs = super().validate(attrs)
        if attrs["job_type"] is None and not attrs["target_format"]:
            raise serializers.ValidationError(
                {"job_type": "Give a job_type, or a target_format for a transcode."},
                code="required",
            )
        soft, hard = attrs["soft_limit_seconds"], attrs["hard_limit_seconds"]
        if soft is not None and hard is not None and soft > hard:
            raise serializers.ValidationError(
                {"soft_limit_seconds": "The soft limit must not be above the hard one."},
                code="out_of_range",
            )
        return attrs

    def submission(self) -> Submission:
        """What was asked for, once it is valid."""
        return Submission(**self.validated_data)


# Made once, here and below: to make the fields of a serializer takes longer than to use them, and
# to use them changes nothing.
_NEW_JOB = NewJobSerializer()
_METRICS = MetricsSerializer()


def submission_of(
    data: Any,
    owner_id: int | None = None,
    plan: Plan = UNLIMITED,
    parent_id: UUID | None = None,
) -> Submission:
    """What a body asks for. Raises ValidationError, or Invalid for a moment that has passed."""
    values = _NEW_JOB.run_validation(data)
    return Submission(**values, owner_id=owner_id, plan=plan, parent_id=parent_id)


class JobSerializer(serializers.Serializer[Job]):
    """A job as its owner sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    job_type = serializers.CharField()
    source_file = serializers.CharField()
    target_format = serializers.CharField()
    parameters = serializers.JSONField()
    priority = serializers.IntegerField()
    priority_name = serializers.SerializerMethodField()
    status = StatusField()
    progress = serializers.FloatField(allow_null=True)
    progress_message = serializers.CharField()
    seconds_left = serializers.SerializerMethodField()
    attempt = serializers.IntegerField()
    max_retries = serializers.SerializerMethodField()
    cancel_requested = serializers.BooleanField()
    result = serializers.JSONField(allow_null=True)
    error_code = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()
    created_at = Moment()
    scheduled_at = Moment(allow_null=True)
    queued_at = Moment(allow_null=True)
    started_at = Moment(allow_null=True)
    completed_at = Moment(allow_null=True)
    expires_at = Moment(allow_null=True)
    estimated_duration = serializers.FloatField(source="estimated_seconds", allow_null=True)
    duration = serializers.SerializerMethodField()
    soft_limit_seconds = serializers.FloatField(allow_null=True)
    hard_limit_seconds = serializers.FloatField(allow_null=True)
    replay_of = serializers.UUIDField(allow_null=True)
    batch = serializers.UUIDField(source="parent_id", allow_null=True)
    metadata = serializers.DictField(allow_null=True)
    callback_url = serializers.CharField(allow_null=True)
    metrics = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    def get_priority_name(self, job: Job) -> str:
        """high, default or low."""
        return name_of(job.priority)

    def get_max_retries(self, job: Job) -> int:
        """Attempts after the first."""
        return job.max_attempts - 1

    def get_seconds_left(self, job: Job) -> float | None:
        """Of a running job whose progress is known."""
        if job.status != Status.IN_PROGRESS:
            return None
        left = seconds_left(job.started_at, job.progress, timezone.now())
        return None if left is None else round(left, 1)

    def get_duration(self, job: Job) -> float | None:
        """Seconds from the start of the last attempt to the end."""
        if job.completed_at is None or job.started_at is None:
            return None
        return round((job.completed_at - job.started_at).total_seconds(), 3)

    def get_error_code(self, job: Job) -> str | None:
        """Only FAILED jobs have one."""
        return job.error_code if job.status == Status.FAILED else None

    def get_error_message(self, job: Job) -> str | None:
        """Only FAILED jobs have one."""
        return job.error_message if job.status == Status.FAILED else None

    def get_metrics(self, job: Job) -> dict[str, Any] | None:
        """Only COMPLETED jobs have them: nobody is asked for those of others."""
        metrics = getattr(job, "metrics", None) if job.status == Status.COMPLETED else None
        return None if metrics is None else _METRICS.to_representation(metrics)

    def get_links(self, job: Job) -> dict[str, str]:
        """Where to go from here."""
        links = {
            "self": reverse("api:job", args=[job.id]),
            "events": reverse("api:job_events", args=[job.id]),
        }
        if job.status == Status.COMPLETED and "output" in (job.result or {}):
            links["output"] = reverse("api:output", args=[job.id])
        return links


_JOB = JobSerializer()


def shown(job: Job) -> dict[str, Any]:
    """The job as JSON."""
    return _JOB.to_representation(job)
