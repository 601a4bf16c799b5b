"""What a child process used: memory and CPU from /proc while it runs, CPU seconds at its end.

ru_maxrss is of no use: a child inherits the peak of the process that started it.
"""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.1
# The kernel counts CPU in ticks of 10 ms; a shorter window would only measure their rounding.
_CPU_WINDOW_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Usage:
    """What one child used.

    peak_cpu_percent: 0-100 of the machine's whole capacity, over windows of 0.2 s.
    peak_memory_mb: the largest resident size in MiB, rounded up; 0 where there is no /proc.
    wall_seconds, cpu_seconds: from start to end, and on all cores together.
    """

    peak_cpu_percent: int
    peak_memory_mb: int
    wall_seconds: float
    cpu_seconds: float


class Meter:
    """Samples one child; call `sample` often."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cores = os.cpu_count() or 1
        self._started = time.monotonic()
        self._sampled = -math.inf
        self._peak_kib = 0
        self._peak_cores = 0.0
        self._window: tuple[float, float] | None = None

    def sample(self) -> None:
        """Look at the child, at most every 0.1 s (in its first 0.1 s: at each call)."""
        now = time.monotonic()
        if now - self._sampled < _SAMPLE_SECONDS and now - self._started > _SAMPLE_SECONDS:
            return
        self._sampled = now
        worker = Path("/proc", str(innermost(self._pid)))
        try:
            self._peak_kib = max(self._peak_kib, _peak_kib(worker))
            self._watch_cpu(now, _cpu_seconds(worker))
        except OSError:
            return  # it has ended, or there is no /proc

    def result(self, cpu_seconds: float) -> Usage:
        """The figures of a child that has just ended with this CPU time."""
        wall = time.monotonic() - self._started
        average = cpu_seconds / wall if wall else 0.0
        percent = 100 * max(self._peak_cores, average) / self._cores
        return Usage(
            peak_cpu_percent=min(100, round(percent)),
            peak_memory_mb=math.ceil(self._peak_kib / 1024),
            wall_seconds=wall,
            cpu_seconds=cpu_seconds,
        )

    def _watch_cpu(self, now: float, cpu_seconds: float) -> None:
        if self._window is None:
            self._window = (now, cpu_seconds)
            return
        since, before = self._window
        if now - since >= _CPU_WINDOW_SECONDS:
            self._peak_cores = max(self._peak_cores, (cpu_seconds - before) / (now - since))
            self._window = (now, cpu_seconds)


def innermost(pid: int) -> int:
    """The process that does the work: the sandbox stays as its parent, nothing else does."""
    process = Path("/proc", str(pid))
    try:
        if (process / "comm").read_text() != "bwrap\n":
            return pid
        children = (process / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return pid
    return int(children[0]) if children else pid


def _peak_kib(process: Path) -> int:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _cpu_seconds(process: Path) -> float:
    # The name in the second field may hold spaces and brackets; what counts follows the last one.
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
