"""The figures that people read, from sums of ended jobs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jobs.states import FINAL, Status
from jobs.stats.ended import Group, Sums
from jobs.stats.histogram import percentile

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles and mean in seconds; None without jobs. A percentile is at most 26 % off."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of jobs that ended: how many by status, how many a minute, and, without cancelled ones, how
    long their last attempt waited and ran."""

    ended: dict[Status, int]
    per_minute: dict[Status, float]
    wait: Spread
    run: Spread

    @property
    def jobs(self) -> int:
        """How many in all."""
        return sum(self.ended.values())


def figures(groups: Iterable[tuple[Group, Sums]], minutes: float) -> Figures:
    """Of these groups, which ended in so many minutes."""
    ended = {status: 0 for status in Status if status in FINAL}
    total = Sums()
    for group, sums in groups:
        ended[Status(group.status)] += sums.jobs
        total.add(sums)
    return Figures(
        ended=ended,
        per_minute={status: jobs / minutes for status, jobs in ended.items()},
        wait=_spread(total.waits, total.wait_seconds),
        run=_spread(total.runs, total.run_seconds),
    )


def figures_by(
    keys: Callable[[Group], Iterable[Key]], groups: Iterable[tuple[Group, Sums]], minutes: float
) -> dict[Key, Figures]:
    """The figures of each key, the one with most jobs first; a group may have several keys."""
    parts: dict[Key, list[tuple[Group, Sums]]] = {}
    for group, sums in groups:
        for key in keys(group):
            parts.setdefault(key, []).append((group, sums))
    found = {key: figures(part, minutes) for key, part in parts.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1].jobs))


def _spread(histogram: Sequence[int], seconds: float) -> Spread:
    jobs = sum(histogram)
    return Spread(
        p50=percentile(histogram, 0.5),
        p90=percentile(histogram, 0.9),
        p95=percentile(histogram, 0.95),
        p99=percentile(histogram, 0.99),
        mean=seconds / jobs if jobs else None,
    )
