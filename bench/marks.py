"""How a benchmark learns when jobs started: every contender's no-op job tells it through a fifo.

In the worker's environment BENCH_PIPE names the fifo. Where BENCH_LAST is a number, a process tells
of the first job that it starts and of the job with that number; where it is `every`, of all. A line
is the job's number and the nanoseconds of CLOCK_MONOTONIC, which all processes share.

Only the standard library is used: the scripts of other queues run this in an environment of theirs.
"""

import os
import time

PIPE = os.environ.get("BENCH_PIPE", "")
LAST = os.environ.get("BENCH_LAST", "every")

_told: list[int] = []


def now() -> int:
    """Nanoseconds of the clock that all processes share."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def started(number: int) -> None:
    """The first line of a job. Short writes to a pipe are whole."""
    if not PIPE or (_told and LAST not in (str(number), "every")):
        return
    line = f"{number} {now()}\n".encode()
    if not _told:
        _told.append(os.open(PIPE, os.O_WRONLY))
    os.write(_told[0], line)
