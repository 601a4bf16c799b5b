"""Which time limits an attempt has: the job's own, else its type's, else the settings'."""

from django.conf import settings

from jobs.attempt import Attempt
from jobs.processors.contract import TimeLimits


def time_limits(attempt: Attempt, declared: TimeLimits) -> tuple[float, float]:
    """The soft and the hard limit in seconds; the soft one is never the longer."""
    return _limits(attempt.soft_limit_seconds, attempt.hard_limit_seconds, declared)


def usual_limits(declared: TimeLimits) -> tuple[float, float]:
    """Those of a job of the type that has none of its own."""
    return _limits(None, None, declared)


def _limits(
    own_soft: float | None, own_hard: float | None, declared: TimeLimits
) -> tuple[float, float]:
    hard = _first(own_hard, declared.hard, settings.JOB_HARD_LIMIT_SECONDS)
    soft = _first(own_soft, declared.soft, settings.JOB_SOFT_LIMIT_SECONDS)
    return min(soft, hard), hard


def _first(own: float | None, declared: float | None, default: float) -> float:
    if own is not None:
        return own
    return default if declared is None else declared
