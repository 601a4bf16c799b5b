"""What an attempt cost, where the work is done by the worker's own thread."""

import os
import resource
import time

from jobs.outcomes import Metrics

KIBIBYTES = 1024


class Meter:
    """Measures the thread that made it, from then on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._used = time.thread_time()

    def metrics(self) -> Metrics:
        """The processor's share is the thread's mean, which stands for the peak; the memory is the
        peak of the whole worker process."""
        seconds = time.monotonic() - self._began
        used = time.thread_time() - self._used
        return Metrics(
            peak_cpu_usage=round(100 * used / max(seconds, used, 1e-9) / (os.cpu_count() or 1)),
            memory_usage_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIBIBYTES,
            processing_time_seconds=round(seconds, 3),
        )
