"""Histograms of durations on a log scale, and the percentiles that they give.

The edges are fixed for ever: histograms that are stored are added to one another. There are ten
buckets a decade, from a millisecond to a million seconds (11.6 days), one below and one above.

A percentile lies in the bucket of the true one, so it is at most a factor of 10^(1/10), that is
26 %, off; below a millisecond it is at most a millisecond off, and above a million seconds it is
only known to be longer.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import zip_longest

PER_DECADE = 10
EDGES = tuple(
    float(10 ** (power / PER_DECADE)) for power in range(-3 * PER_DECADE, 6 * PER_DECADE + 1)
)
BUCKETS = len(EDGES) + 1
WORST_FACTOR = 10 ** (1 / PER_DECADE)

Histogram = list[int]


def bucket(seconds: float) -> int:
    """How many edges are at or below it: what width_bucket(seconds, EDGES) says in SQL."""
    return bisect_right(EDGES, seconds)


def count(histogram: Histogram, place: int, jobs: int) -> None:
    """Put so many into one bucket. A histogram ends with its last bucket that is not empty."""
    histogram.extend([0] * (place + 1 - len(histogram)))
    histogram[place] += jobs


def added(one: Iterable[int], other: Iterable[int]) -> Histogram:
    """The sum of two."""
    return [a + b for a, b in zip_longest(one, other, fillvalue=0)]


def subtracted(one: Iterable[int], other: Iterable[int]) -> Histogram:
    """The first without the second, which it contains."""
    return [a - b for a, b in zip_longest(one, other, fillvalue=0)]


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """The seconds that this share (0.0-1.0) of them did not exceed; None when it is empty.

    Interpolated inside the bucket, geometrically: durations spread evenly on a log scale.
    """
    total = sum(histogram)
    if not total:
        return None
    rank = max(1, math.ceil(share * total))
    below = 0
    for place, jobs in enumerate(histogram):
        if below + jobs >= rank:
            return _inside(place, (rank - below - 0.5) / jobs)
        below += jobs
    raise AssertionError("the rank is at most the total")


def _inside(place: int, share: float) -> float:
    if place == 0:
        return EDGES[0] * share
    if place == len(EDGES):
        return EDGES[-1]
    return EDGES[place - 1] * math.pow(EDGES[place] / EDGES[place - 1], share)
