"""A job type as a value, and the decorator that makes one of a function."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, overload

from jobs.outcomes import Failed, Outcome
from jobs.priorities import DEFAULT
from jobs.processors.contract import Context, Invalid, RetryPolicy, TimeLimits
from jobs.processors.parameters import NONE, Declared, NoParameters, read

MAX_NAME = 50
USUAL_RETRIES = RetryPolicy()
USUAL_LIMITS = TimeLimits()

P = TypeVar("P", bound=Declared)


class Source(StrEnum):
    """What a job type wants of `source_file`."""

    NONE = "none"
    NAMED = "named"  # a possible name; the file need not be there
    STORED = "stored"  # a file of the media store


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A job type: its code, and as data all that others must know of it. `processor` makes one.

    It serves all threads and keeps no state of an attempt. The fields are the arguments of
    `processor`; description: the docstring of the function.
    """

    job_type: str
    work: Callable[[Context, Any], Outcome]
    parameters: type[Declared]
    source: Source
    formats: tuple[str, ...]
    check: Callable[[str, str, Any], None] | None
    retry_policy: RetryPolicy
    limits: TimeLimits
    priority: int
    internal: bool
    description: str

    @property
    def not_taken(self) -> tuple[str, ...]:
        """Which of source_file and target_format a job of this type does not have."""
        source = () if self.source is not Source.NONE else ("source_file",)
        return source if self.formats else (*source, "target_format")

    def run(self, context: Context) -> Outcome:
        """One attempt: parse its parameters, do the work. An exception is a Retry."""
        if self.parameters is NoParameters:
            return self.work(context, NONE)
        try:
            parameters = read(self.parameters, context.attempt.parameters)
        except Invalid as error:  # of a job that was not submitted by this version of the code
            told = "; ".join(f"{one.field}: {one.detail}" for one in error.each())
            return Failed(told, code="invalid_parameters")
        return self.work(context, parameters)


Decorator = Callable[[Callable[[Context, P], Outcome]], Processor]


@overload
def processor(
    job_type: str,
    *,
    source: Source = ...,
    formats: Collection[str] = ...,
    check: Callable[[str, str, NoParameters], None] | None = ...,
    retry: RetryPolicy = ...,
    limits: TimeLimits = ...,
    priority: int = ...,
    internal: bool = ...,
) -> Decorator[NoParameters]: ...
@overload
def processor(
    job_type: str,
    *,
    parameters: type[P],
    source: Source = ...,
    formats: Collection[str] = ...,
    check: Callable[[str, str, P], None] | None = ...,
    retry: RetryPolicy = ...,
    limits: TimeLimits = ...,
    priority: int = ...,
    internal: bool = ...,
) -> Decorator[P]: ...
def processor(
    job_type: str,
    *,
    parameters: type[Any] = NoParameters,
    source: Source = Source.NONE,
    formats: Collection[str] = (),
    check: Callable[[str, str, Any], None] | None = None,
    retry: RetryPolicy = USUAL_RETRIES,
    limits: TimeLimits = USUAL_LIMITS,
    priority: int = DEFAULT,
    internal: bool = False,
) -> Decorator[Any]:
    """Make a job type of a function of context and parameters that returns an Outcome.

    The function asks `context.stopped()` often and returns Interrupted soon after. It may run
    twice: names of what it writes contain `context.attempt.lease`.

    parameters: the model of what a job of this type is told. source: what it wants of
    `source_file`. formats: the values of `target_format` that it takes, in lower case; none: it
    takes no target. check: called with source_file, target_format and parameters before a job is
    made, once they are right in themselves; raises Invalid. retry, limits: the policy. priority:
    of jobs that are submitted without one. internal: the service alone makes such jobs and does
    them; nobody submits, replays or leases one.

    Raises ValueError for a name or for limits that no job type can have.
    """
    if not 1 <= len(job_type) <= MAX_NAME:
        raise ValueError(f"the name of a job type has 1 to {MAX_NAME} characters: {job_type!r}")
    given = [limit for limit in (limits.soft, limits.hard) if limit is not None]
    if any(limit <= 0 for limit in given) or given != sorted(set(given)):
        raise ValueError(f"time limits are above 0, the soft one below the hard one: {limits}")

    def declared(work: Callable[[Context, Any], Outcome]) -> Processor:
        return Processor(
            job_type=job_type,
            work=work,
            parameters=parameters,
            source=source,
            formats=tuple(formats),
            check=check,
            retry_policy=retry,
            limits=limits,
            priority=priority,
            internal=internal,
            description=inspect.getdoc(work) or "",
        )

    return declared
