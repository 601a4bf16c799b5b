"""The shapes of what remote workers ask and are told."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.validators import RegexValidator
from django.urls import reverse
from rest_framework import serializers

from jobs import storage
from jobs.api.fields import FlagField, StrictSerializer, TextField
from jobs.attempt import Attempt
from jobs.media.errors import MediaError
from jobs.media.presets import find_preset
from jobs.outcomes import Metrics
from jobs.priorities import Pool, parse_pools
from jobs.processors.admission import is_internal
from jobs.processors.declaration import MAX_NAME
from jobs.queue.finish import MAX_ERROR_CHARACTERS
from jobs.queue.progress import MAX_MESSAGE_CHARACTERS
from jobs.remote.keys import OUTPUT, SOURCE, Lease, key, lease_token
from jobs.remote.outputs import largest
from jobs.remote.settling import limits_of
from jobs.worker.checkpoints import as_json
from jobs.worker.heartbeat import RENEWALS_A_LEASE

MOST_JOBS = 20
MOST_TYPES = 100
LARGEST = 2**31 - 1
LONGEST_SECONDS = 30 * 86_400.0


class NoBooleanInteger(serializers.IntegerField):
    """A number that is one: neither true nor "3"."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse what is not an integer in JSON."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class WantedSerializer(StrictSerializer):
    """The body of jobs/lease."""

    pool = TextField(max_length=31)
    types = serializers.ListField(
        child=TextField(max_length=MAX_NAME), min_length=1, max_length=MOST_TYPES
    )
    count = NoBooleanInteger(min_value=0, max_value=MOST_JOBS, default=1)
    version = NoBooleanInteger(min_value=0, max_value=LARGEST)
    name = TextField(
        max_length=100,
        validators=[RegexValidator(r"\A[\w.:@-]+\Z", "Use letters, digits and . : @ - _ only.")],
    )

    def validate_types(self, types: list[str]) -> list[str]:
        """None of the service's own: such jobs work on its database."""
        for name in types:
            if is_internal(name):
                raise serializers.ValidationError(f"{name} is not done remotely.", "not_allowed")
        return types

    def validate_pool(self, name: str) -> Pool:
        """The pool of this name."""
        pools = parse_pools(settings.POOLS)
        if name not in pools:
            raise serializers.ValidationError(
                f"There is no such pool. Known: {', '.join(pools)}.", "unknown_pool"
            )
        return pools[name]


class LeaseSerializer(StrictSerializer):
    """What every call about a leased job has; the body of jobs/{id}/release."""

    lease = TextField(max_length=500)


class ProgressSerializer(LeaseSerializer):
    """The body of jobs/{id}/progress."""

    progress = serializers.FloatField(min_value=0, max_value=1, default=None, allow_null=True)
    message = TextField(max_length=MAX_MESSAGE_CHARACTERS, default="", allow_blank=True)


class WorkedSerializer(StrictSerializer):
    """What an attempt cost, as the worker measured it."""

    peak_cpu_usage = NoBooleanInteger(min_value=0, max_value=100)
    memory_usage_mb = NoBooleanInteger(min_value=0, max_value=LARGEST)
    processing_time_seconds = serializers.FloatField(min_value=0, max_value=LONGEST_SECONDS)
    simulated = FlagField(default=False)


class CompleteSerializer(LeaseSerializer):
    """The body of jobs/{id}/complete."""

    result = serializers.DictField(default=dict)
    metrics = WorkedSerializer()

    def validate_result(self, result: dict[str, Any]) -> Any:
        """Small JSON."""
        try:
            return as_json(result, "A result")
        except ValueError as error:
            raise serializers.ValidationError(str(error), "too_large") from None

    def validate_metrics(self, metrics: dict[str, Any]) -> Metrics:
        """As a value."""
        return Metrics(**metrics)


class FailSerializer(LeaseSerializer):
    """The body of jobs/{id}/fail."""

    code = TextField(
        max_length=50, validators=[RegexValidator(r"\A[a-z][a-z0-9_]*\Z", "Use lower_snake_case.")]
    )
    message = TextField(max_length=MAX_ERROR_CHARACTERS, default="", allow_blank=True)
    retryable = FlagField(default=True)
    retry_after = serializers.FloatField(
        min_value=0, max_value=LONGEST_SECONDS, default=None, allow_null=True
    )


def lease_terms() -> dict[str, float]:
    """How long a lease lasts from now on, and how often it is to be renewed."""
    seconds = settings.JOB_LEASE_SECONDS
    return {"lease_seconds": seconds, "renew_seconds": seconds / RENEWALS_A_LEASE}


def addresses(job_id: UUID, lease: int) -> dict[str, str]:
    """Signed addresses of the source and the output, for a few minutes."""
    return {
        name: f"{reverse(f'api:leased_{name}', args=[job_id])}?"
        + urlencode({"key": key(name, job_id, lease)})
        for name in (SOURCE, OUTPUT)
    }


def leased_job(attempt: Attempt, worker_id: UUID, user_id: int) -> dict[str, Any]:
    """A job as the worker that runs it sees it: of others it learns nothing."""
    soft, hard = limits_of(attempt)
    return {
        "id": attempt.id,
        "lease": lease_token(Lease(attempt.job_id, attempt.lease, worker_id, user_id)),
        "job_type": attempt.job_type,
        "source_file": attempt.source_file,
        "target_format": attempt.target_format,
        "parameters": attempt.parameters,
        "priority": attempt.priority,
        "attempt": attempt.number,
        "max_attempts": attempt.max_attempts,
        "soft_limit_seconds": soft,
        "hard_limit_seconds": hard,
        "source_bytes": storage.source_size(attempt.source_file) if attempt.source_file else None,
        "output_extension": _extension(attempt.target_format),
        "output_max_bytes": largest(),
        "addresses": addresses(attempt.job_id, attempt.lease),
    }


def _extension(target_format: str) -> str | None:
    try:
        return find_preset(target_format).extension
    except MediaError:
        return None
