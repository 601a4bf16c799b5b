"""Job types of the benchmarks."""

import os
import time
from collections.abc import Mapping
from typing import Any

from bench import marks
from jobs.outcomes import Completed, Metrics, Outcome
from jobs.processors.contract import Context, RetryPolicy, TimeLimits

NOTHING = Metrics(peak_cpu_usage=0, memory_usage_mb=0, processing_time_seconds=0.0)


class Noop:
    """Done at once."""

    job_type = "noop"
    retry_policy = RetryPolicy()
    limits = TimeLimits()

    def validate(self, source_file: str, target_format: str, parameters: Mapping[str, Any]) -> None:
        """Whatever it is."""

    def run(self, context: Context) -> Outcome:
        """Nothing; see bench/marks.py for the number."""
        marks.started(context.attempt.parameters.get("number", 0))
        return Completed(NOTHING)


class Stamp(Noop):
    """Writes the time at which it was started to a pipe: `parameters["pipe"]`."""

    job_type = "stamp"

    def run(self, context: Context) -> Outcome:
        """One line of nanoseconds, whole: short writes to a pipe are atomic."""
        started = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        line = f"{context.attempt.parameters['number']} {started}\n"
        pipe = os.open(context.attempt.parameters["pipe"], os.O_WRONLY)
        os.write(pipe, line.encode())
        os.close(pipe)
        return Completed(NOTHING)
