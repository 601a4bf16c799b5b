"""One log line for many short jobs."""

import time

import structlog

EVERY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Tally:
    """Counts what one thread has done; logs it at most once a second."""

    def __init__(self) -> None:
        self._jobs = 0
        self._seconds = 0.0
        self._logged_at = time.monotonic()

    def add(self, jobs: int, seconds: float, now: float) -> None:
        """`jobs` jobs have ended; the work took `seconds`."""
        self._jobs += jobs
        self._seconds += seconds
        if now - self._logged_at >= EVERY_SECONDS:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Log what was not logged."""
        if self._jobs:
            log.info("jobs.ended", jobs=self._jobs, seconds=round(self._seconds, 3))
            self._jobs, self._seconds, self._logged_at = 0, 0.0, now
