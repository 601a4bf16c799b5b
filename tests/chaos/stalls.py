"""For how long the machine itself stood still, so that nobody is blamed for it.

A promise of so many seconds is one of a machine that has time for it. What `pulse.py` measured and
nothing else is added to a bound; on a quiet machine that is nothing.
"""

from bisect import bisect_left
from collections.abc import Iterable


class Stalls:
    """Intervals of the ledger's time that do not overlap."""

    def __init__(self, intervals: Iterable[tuple[float, float]] = ()) -> None:
        self._intervals = sorted(intervals)
        self._ends = [ended for _, ended in self._intervals]

    def __bool__(self) -> bool:
        return bool(self._intervals)

    @property
    def longest(self) -> float:
        """Of all, in seconds."""
        return max((ended - began for began, ended in self._intervals), default=0.0)

    @property
    def total(self) -> float:
        """Of all, in seconds."""
        return sum(ended - began for began, ended in self._intervals)

    def within(self, began: float, ended: float) -> float:
        """How much of this time was stalled, in seconds."""
        total = 0.0
        for start, end in self._from(began):
            if start >= ended:
                break
            total += min(end, ended) - max(start, began)
        return total

    def later(self, moment: float, seconds: float) -> float:
        """When so many seconds have passed since a moment, stalled time not counted."""
        due = moment + seconds
        for start, end in self._from(moment):
            if start >= due:
                break
            due += end - max(start, moment)
        return due

    def _from(self, moment: float) -> Iterable[tuple[float, float]]:
        """Those that end after it."""
        return self._intervals[bisect_left(self._ends, moment) :]
