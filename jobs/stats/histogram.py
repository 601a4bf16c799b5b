"""Histograms of durations on a log scale, and the percentiles that they give.

The edges are fixed for ever: histograms that are stored are added to one another. There are ten
buckets a decade, from a millisecond to a million seconds (11.6 days), one below and one above.

A percentile lies in the bucket of the true one, so it is at most a factor of 10^(1/10), that is
26 %, off; below a millisecond it is at most a millisecond off, and above a million seconds it is
only known to be longer.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from operator import add, sub

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


def added(one: Sequence[int], other: Sequence[int]) -> Histogram:
    """The sum of two."""
    shorter, longer = sorted((one, other), key=len)
    return [*map(add, longer, shorter), *longer[len(shorter) :]]


def subtracted(whole: Sequence[int], part: Sequence[int]) -> Histogram:
    """What is left of it without a part of it."""
    return [*map(sub, whole, part), *whole[len(part) :]]


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """The seconds that this share (0.0-1.0) of them did not exceed; None when it is empty.

    Interpolated inside the bucket, geometrically: durations spread evenly on a log scale.
    """
    up_to = list(accumulate(histogram))
    if not up_to or not up_to[-1]:
        return None
    rank = max(1, math.ceil(share * up_to[-1]))
    place = bisect_left(up_to, rank)
    jobs = histogram[place]
    return _inside(place, (rank - (up_to[place] - jobs) - 0.5) / jobs)


def _inside(place: int, share: float) -> float:
    if place == 0:
        return EDGES[0] * share
    if place == len(EDGES):
        return EDGES[-1]
    return EDGES[place - 1] * math.pow(EDGES[place] / EDGES[place - 1], share)
