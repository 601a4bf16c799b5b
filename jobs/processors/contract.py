"""What a job type is made of: the processor, and what it is given for one attempt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jobs.attempt import Attempt
from jobs.outcomes import Backoff


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


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long an attempt at a job of the type may take, in seconds; a job's own limits win.

    soft: then `stopped()` becomes true, and the processor may clean up.
    hard: then the job is taken away from it.
    None: JOB_SOFT_LIMIT_SECONDS and JOB_HARD_LIMIT_SECONDS.
    """

    soft: float | None = None
    hard: float | None = None


class LeaseLost(Exception):
    """The attempt is this worker's no more, or the worker must end: let it pass, and nothing else
    is to be done."""


class Context(Protocol):
    """An attempt's line to the worker that runs it. For the thread that called `run`."""

    @property
    def attempt(self) -> Attempt:
        """The attempt at hand."""

    def report(self, progress: float | None, message: str = "") -> None:
        """Say how far the work is, 0.0-1.0 (None: unknown). Cheap: written once a second."""

    def stopped(self) -> bool:
        """Whether to stop now: the job is cancelled, it takes too long, the worker shuts down, or
        the lease is lost. Ask often."""

    @property
    def cancelled(self) -> bool:
        """Whether it is to stop because somebody cancelled the job: nobody wants its output."""

    @property
    def timed_out(self) -> bool:
        """Whether it is to stop because the soft time limit is over."""

    def seconds_left(self) -> float:
        """How long until the hard time limit, for the limits of a child process."""

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when `stopped()` becomes true."""

    def checkpoint(self) -> dict[str, Any] | None:
        """The state that this or an earlier attempt saved last; None when none did."""

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a small state, as JSON, for an attempt that comes after this one.

        Raises ValueError when it is no JSON or more than 64 kB, LeaseLost.
        """

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The function's result, as JSON gives it back. It is kept: an attempt that comes after
        this one gets it without calling the function.

        A worker that dies between the call and the keeping has the function called once more.
        Raises what the function raises, ValueError as `save` for the results of all steps
        together, LeaseLost.
        """


class Invalid(ValueError):
    """A submission that this job type cannot take.

    field: the field of the request it is about; a parameter is `parameters.<name>`. code: stable,
    for machines. status: the HTTP status that says it best. others: what else is wrong with it.
    """

    def __init__(
        self,
        field: str,
        code: str,
        detail: str,
        *,
        status: int = 400,
        others: "Sequence[Invalid]" = (),
    ) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code
        self.detail = detail
        self.status = status
        self.others = others

    def each(self) -> "list[Invalid]":
        """All that is wrong, one by one."""
        return [self, *(one for other in self.others for one in other.each())]


def together(found: "Iterable[Invalid]") -> Invalid:
    """One Invalid that says all of these; where they differ, status 400. At least one is given."""
    every = [one for invalid in found for one in invalid.each()]
    first = every[0]
    status = first.status if len({one.status for one in every}) == 1 else 400
    return Invalid(first.field, first.code, first.detail, status=status, others=every[1:])
