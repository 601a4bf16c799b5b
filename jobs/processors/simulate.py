"""Simulated work: takes time, reports progress, makes up its metrics. For trying things out."""

import random
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from jobs.outcomes import Completed, Interrupted, Metrics, Outcome, Retry
from jobs.priorities import name_of
from jobs.processors.checks import check_parameters, check_source_name, check_target
from jobs.processors.contract import Context, Invalid, RetryPolicy, TimeLimits

STEPS = 20


class Simulate:
    """Works for a random time by priority (SIMULATE_SECONDS_HIGH, SIMULATE_SECONDS_LOW).

    Parameter `failure_rate` (0.0-1.0, default 0): the share of attempts that fail and are retried.
    """

    job_type = "simulate"
    retry_policy = RetryPolicy()
    limits = TimeLimits()

    def validate(self, source_file: str, target_format: str, parameters: Mapping[str, Any]) -> None:
        """As for a real job, but the source need not be there."""
        check_parameters(parameters, ("failure_rate",))
        check_target(target_format)
        check_source_name(source_file)
        rate = parameters.get("failure_rate", 0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise Invalid("parameters", "out_of_range", "failure_rate is a number from 0.0 to 1.0.")

    def run(self, context: Context) -> Outcome:
        """Wait, then complete with metrics that are marked as simulated."""
        attempt = context.attempt
        started = time.monotonic()
        duration = random.uniform(*seconds_of(attempt.priority))  # noqa: S311 - nothing secret
        for done in range(STEPS):
            context.report(done / STEPS)
            if context.wait(duration / STEPS):
                return Interrupted()
        if random.random() < attempt.parameters.get("failure_rate", 0):  # noqa: S311
            return Retry("This simulated attempt was to fail.", code="simulated_failure")
        return Completed(
            metrics=Metrics(
                peak_cpu_usage=random.randint(20, 95),  # noqa: S311
                memory_usage_mb=random.randint(64, 1024),  # noqa: S311
                processing_time_seconds=round(time.monotonic() - started, 3),
                simulated=True,
            ),
            result={"simulated": True},
        )


def seconds_of(priority: int) -> tuple[float, float]:
    """The shortest and the longest time of a simulated job.

    Raises ValueError when the setting is not two numbers of seconds, the smaller first.
    """
    name = "HIGH" if name_of(priority) == "high" else "LOW"
    text: str = getattr(settings, f"SIMULATE_SECONDS_{name}")
    try:
        shortest, longest = (float(part) for part in text.split("-"))
    except ValueError:
        shortest, longest = 1.0, 0.0
    if not 0 <= shortest <= longest:
        raise ValueError(
            f"SIMULATE_SECONDS_{name} is {text!r}; it must be shortest-longest, for example 3-5"
        )
    return shortest, longest
