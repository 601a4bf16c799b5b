"""What there is to know of every job type, as plain data: for the API, its docs and forms."""

from typing import Any

from django.conf import settings

from jobs.outcomes import Backoff
from jobs.processors.contract import RetryPolicy
from jobs.processors.declaration import Processor
from jobs.processors.limits import usual_limits
from jobs.processors.registry import processors


def describe() -> list[dict[str, Any]]:
    """All job types that can be submitted, by name; `parameters` is a JSON schema."""
    public = (one for _, one in sorted(processors().items()) if not one.internal)
    return [described(processor) for processor in public]


def described(processor: Processor) -> dict[str, Any]:
    """One job type."""
    first, _, rest = processor.description.partition("\n\n")
    schema = processor.parameters.model_json_schema()
    soft, hard = usual_limits(processor.limits)
    return {
        "job_type": processor.job_type,
        "title": " ".join(first.split()),
        "description": rest.strip(),
        "source_file": processor.source.value,
        "target_formats": list(processor.formats),
        "parameters": schema,
        "priority": processor.priority,
        "retry": _retry(processor.retry_policy),
        "time_limits": {
            "soft_seconds": soft,
            "hard_seconds": hard,
        },
    }


def _retry(policy: RetryPolicy) -> dict[str, Any]:
    backoff = policy.backoff or Backoff(settings.JOB_RETRY_DELAY_SECONDS)
    return {
        "max_attempts": policy.max_attempts,
        "first_wait_seconds": backoff.base_seconds,
        "longest_wait_seconds": backoff.cap_seconds,
    }
