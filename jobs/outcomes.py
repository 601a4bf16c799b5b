"""What one attempt came to, as values. Processors return them; `queue.finish` maps them to rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Metrics:
    """What an attempt cost.

    peak_cpu_usage: percent of the machine's capacity, 0-100.
    memory_usage_mb: peak resident memory in MiB.
    processing_time_seconds: wall time.
    simulated: the figures were made up by a simulated job.
    """

    peak_cpu_usage: int
    memory_usage_mb: int
    processing_time_seconds: float
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a failed attempt waits: uniform in 0..min(cap, base * 2^(attempt-1)) seconds.

    This is "full jitter" of Exponential Backoff And Jitter (AWS Architecture Blog, 2015).
    """

    base_seconds: float = 5.0
    cap_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Completed:
    """The work is done. `result` is small JSON; `output` is the file that the result points to,
    deleted when the lease turns out to be lost."""

    metrics: Metrics
    result: Mapping[str, Any] = field(default_factory=dict)
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and another may succeed; without an attempt left the job is FAILED.

    backoff: None for the policy of the job type. after: wait just so many seconds instead, as when
    a server says when to come back. traceback: for operators; owners do not see it.
    """

    error: str
    code: str = "error"
    backoff: Backoff | None = None
    after: float | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Not yet: the job waits `seconds` and is tried again, at no cost of an attempt."""

    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed in a way that no further attempt can mend."""

    error: str
    code: str = "failed"
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The work is not wanted any more: the job is CANCELLED."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The worker stopped before the work was done: the job goes back at no cost of an attempt.

    started: False when the processor was never called.
    """

    started: bool = True


Outcome = Completed | Retry | Snooze | Failed | Cancel | Interrupted
