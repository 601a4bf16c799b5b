"""Simulated work: takes time, reports progress, makes up its metrics. For trying things out."""

import random
import time

from django.conf import settings
from pydantic import Field

from jobs.media.presets import ALIASES, TARGETS
from jobs.outcomes import Completed, Interrupted, Metrics, Outcome, Retry
from jobs.priorities import name_of
from jobs.processors.contract import Context
from jobs.processors.declaration import Source, processor
from jobs.processors.parameters import Declared

STEPS = 20


class SimulateParameters(Declared):
    """How the simulated work goes."""

    failure_rate: float = Field(
        default=0.0, ge=0, le=1, description="The share of attempts that fail and are retried."
    )


# The source need not be there: nothing is done with it.
@processor(
    "simulate",
    parameters=SimulateParameters,
    source=Source.NAMED,
    formats=(*TARGETS, *ALIASES),
)
def simulate(context: Context, parameters: SimulateParameters) -> Outcome:
    """Simulate a transcode.

    It works for a random time by priority (SIMULATE_SECONDS_HIGH, SIMULATE_SECONDS_LOW) and
    completes with metrics that are marked as simulated.
    """
    started = time.monotonic()
    shortest, longest = seconds_of(context.attempt.priority)
    duration = random.uniform(shortest, longest)  # noqa: S311 - nothing secret
    for done in range(STEPS):
        context.report(done / STEPS)
        if context.wait(duration / STEPS):
            return Interrupted()
    if random.random() < parameters.failure_rate:  # noqa: S311
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
