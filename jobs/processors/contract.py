"""What a job type is made of: the processor, and what it is given for one attempt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jobs.attempt import Attempt
from jobs.outcomes import Backoff, Outcome


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a job type is tried and how long it waits in between.

    backoff: None for the default, which starts from JOB_RETRY_DELAY_SECONDS.
    """

    max_attempts: int = 3
    backoff: Backoff | None = None


class Context(Protocol):
    """An attempt's line to the worker that runs it."""

    @property
    def attempt(self) -> Attempt:
        """The attempt at hand."""

    def report(self, progress: float | None, message: str = "") -> None:
        """Say how far the work is, 0.0-1.0 (None: unknown). Cheap: written once a second."""

    def stopped(self) -> bool:
        """Whether to stop now: the worker shuts down, or the lease is lost. Ask often."""

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when `stopped()` becomes true."""


class Invalid(ValueError):
    """A submission that this job type cannot take.

    field: the field of the request it is about. code: stable, for machines.
    status: the HTTP status that says it best.
    """

    def __init__(self, field: str, code: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code
        self.detail = detail
        self.status = status


class Processor(Protocol):
    """The code of a job type. One instance serves all threads: it keeps no state of an attempt."""

    job_type: str
    retry_policy: RetryPolicy

    def validate(self, source_file: str, target_format: str, parameters: Mapping[str, Any]) -> None:
        """Raise Invalid when a job of this type cannot be made from these values."""

    def run(self, context: Context) -> Outcome:
        """Do the work; return Interrupted soon after `stopped()`. An exception is a Retry."""
