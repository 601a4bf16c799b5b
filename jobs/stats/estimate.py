"""How long a new job will probably take, from those of its kind before it.

Learnt by `jobs/stats/rollup.py`, so about half a minute behind. Simulated jobs are a type of their
own and never mix with real ones.
"""

import threading
import time
from collections.abc import Mapping

from jobs.models import DurationHistory

CACHE_SECONDS = 10.0
MOST_KINDS = 10_000  # the newest, should clients invent formats

# Mean seconds by size class.
Classes = dict[int, float]


def size_class(source_bytes: int | None) -> int:
    """floor(log2(bytes)); -1 for a job without a source."""
    return -1 if source_bytes is None else max(source_bytes, 1).bit_length() - 1


def estimate(job_type: str, target_format: str, source_bytes: int | None) -> float | None:
    """Seconds of processing, or None where nothing is known.

    Where no source of that size class was seen, it is scaled from the nearest class of the same
    type and format, as if time went with size. Costs no statement, but one in ten seconds a
    process.
    """
    classes = _cache.read().get((job_type, target_format), {})
    wanted = size_class(source_bytes)
    if wanted in classes:
        return classes[wanted]
    sized = [known for known in classes if known >= 0]
    if source_bytes is None or not sized:
        return None
    nearest = min(sized, key=lambda known: abs(known - wanted))
    middle: float = 2 ** (nearest + 0.5)
    return classes[nearest] * source_bytes / middle


class _Cache:
    """The whole history; one thread reads it anew while the others use what is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._known: Mapping[tuple[str, str], Classes] = {}

    def read(self) -> Mapping[tuple[str, str], Classes]:
        if self._is_old() and self._lock.acquire(blocking=self._read_at is None):
            try:
                if self._is_old():
                    self._known = _load()
                    self._read_at = time.monotonic()
            finally:
                self._lock.release()
        return self._known

    def _is_old(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at > CACHE_SECONDS


def _load() -> dict[tuple[str, str], Classes]:
    known: dict[tuple[str, str], Classes] = {}
    newest = DurationHistory.objects.order_by("-updated_at")[:MOST_KINDS]
    for job_type, target_format, size, mean in newest.values_list(
        "job_type", "target_format", "size_class", "mean_seconds"
    ):
        known.setdefault((job_type, target_format), {})[size] = mean
    return known


_cache = _Cache()
