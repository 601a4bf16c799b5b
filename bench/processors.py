"""Job types of the benchmarks. Nothing is declared: they read the numbers as they come."""

import os
import time

from bench import marks
from jobs.outcomes import Completed, Metrics, Outcome
from jobs.processors.contract import Context
from jobs.processors.declaration import processor
from jobs.processors.parameters import NoParameters

NOTHING = Metrics(peak_cpu_usage=0, memory_usage_mb=0, processing_time_seconds=0.0)


@processor("noop")
def noop(context: Context, parameters: NoParameters) -> Outcome:
    """Done at once; see bench/marks.py for the number."""
    marks.started(context.attempt.parameters.get("number", 0))
    return Completed(NOTHING)


@processor("stamp")
def stamp(context: Context, parameters: NoParameters) -> Outcome:
    """Write the time at which it was started to a pipe: `parameters["pipe"]`.

    One line of nanoseconds, whole: short writes to a pipe are atomic.
    """
    started = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    line = f"{context.attempt.parameters['number']} {started}\n"
    pipe = os.open(context.attempt.parameters["pipe"], os.O_WRONLY)
    os.write(pipe, line.encode())
    os.close(pipe)
    return Completed(NOTHING)
