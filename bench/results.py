"""What was found of one contender, and its summary: medians, with least and greatest."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from bench.contenders.peer import Peer
from bench.environment import percentiles

# "drain" is the fastest that a contender does.
NAMES = {
    "best": "drain",
    "best_ratio": "drain_ratio",
    "four": "drain_four",
    "four_ratio": "drain_four_ratio",
    "single": "drain_single",
    "single_ratio": "drain_single_ratio",
}


@dataclass
class Results:
    """One value a round for each figure; the waits of all rounds together."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        """The value of one round."""
        self.figures.setdefault(name, []).append(value)

    def summary(self, peer: Peer) -> dict[str, Any]:
        """For `--json`."""
        found = {NAMES.get(name, name): values for name, values in self.figures.items()}
        summary: dict[str, Any] = {
            name: round(statistics.median(values), 4) for name, values in found.items()
        }
        if self.waits:
            summary["latency_ms"] = percentiles(self.waits)
        summary["ranges"] = {
            name: [round(min(values), 4), round(max(values), 4)] for name, values in found.items()
        }
        summary["includes"] = peer.includes
        summary["settings"] = {
            NAMES.get(name, name): peer.modes[name].settings for name in peer.drains
        }
        if self.failures:
            summary["failures"] = self.failures
        return summary
