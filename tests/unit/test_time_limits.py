"""A job's own limits come before its type's, and those before the settings'."""

import pytest
from pytest_django.fixtures import Settings

from jobs.attempt import Attempt
from jobs.processors.contract import TimeLimits
from jobs.processors.limits import time_limits


@pytest.mark.parametrize(
    ("own", "declared", "limits"),
    [
        ((None, None), TimeLimits(), (20, 30)),
        ((None, None), TimeLimits(soft=5), (5, 30)),
        ((None, None), TimeLimits(hard=10), (10, 10)),
        ((7, 8), TimeLimits(5, 6), (7, 8)),
        ((None, 4), TimeLimits(5, 6), (4, 4)),
        ((0.5, None), TimeLimits(), (0.5, 30)),
    ],
)
def test_which_limits_count(
    settings: Settings,
    own: tuple[float | None, float | None],
    declared: TimeLimits,
    limits: tuple[float, float],
) -> None:
    settings.JOB_SOFT_LIMIT_SECONDS = 20
    settings.JOB_HARD_LIMIT_SECONDS = 30
    attempt = Attempt("", 1, 1, 1, "noop", "", "", 5, {}, *own)
    assert time_limits(attempt, declared) == limits
