"""Decide whether a submission can become a job, and of which type: before any row is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from jobs.processors.checks import validate
from jobs.processors.contract import Invalid
from jobs.processors.declaration import Processor
from jobs.processors.registry import processors
from jobs.storage import source_exists, source_size

TRANSCODE = "transcode"
SIMULATE = "simulate"


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the job type settles about a new job. priority: where none was asked for. source_bytes:
    None where there is no source."""

    job_type: str
    max_attempts: int
    priority: int
    source_bytes: int | None


def admit(
    job_type: str | None, source_file: str, target_format: str, parameters: Mapping[str, Any]
) -> Admitted:
    """Choose the job type and check the values against it; "" is a value that was not given.

    Without a type the job is a transcode; where its source is not in the media store and
    SIMULATE_MISSING_SOURCES is on, it is simulated instead.

    Raises Invalid, which names the fields.
    """
    processor = find(job_type or TRANSCODE)
    if job_type is None and settings.SIMULATE_MISSING_SOURCES and not source_exists(source_file):
        processor = find(SIMULATE)
    validate(processor, source_file, target_format, parameters)
    return Admitted(
        processor.job_type,
        processor.retry_policy.max_attempts,
        processor.priority,
        source_size(source_file) if source_file else None,
    )


def find(job_type: str) -> Processor:
    """The job type of this name. Raises Invalid that names those there are."""
    public = {name: one for name, one in processors().items() if not one.internal}
    try:
        return public[job_type]
    except KeyError:
        known = ", ".join(sorted(public))
        raise Invalid(
            "job_type", "unknown_job_type", f"There is no job type {job_type!r}. Known: {known}."
        ) from None


def is_internal(job_type: str) -> bool:
    """Whether jobs of this type are the service's own."""
    processor = processors().get(job_type)
    return processor is not None and processor.internal
