"""What a job type is made of: the processor, and what it is given for one attempt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jobs.attempt import Attempt
from jobs.outcomes import Backoff, Outcome


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a job type is tried, after what, and how long it waits in between.

    max_attempts: one more than there are retries, unless a job says otherwise. backoff: None for
    the default, which starts from JOB_RETRY_DELAY_SECONDS. retry_on: only these exceptions are
    worth another attempt. permanent: these are not, though they are among retry_on.
    """

    max_attempts: int = 3
    backoff: Backoff | None = None
    retry_on: tuple[type[BaseException], ...] = (BaseException,)
    permanent: tuple[type[BaseException], ...] = ()

    def retries(self, error: BaseException) -> bool:
        """Whether an attempt that raised this is followed by another."""
        return isinstance(error, self.retry_on) and not isinstance(error, self.permanent)


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
        """Do the work; return Interrupted soon after `stopped()`. An exception is a Retry, or
        Failed where the retry policy says so."""
