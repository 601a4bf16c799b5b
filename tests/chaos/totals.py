"""What many runs came to together."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_ADDED = {
    "acknowledged": "jobs acknowledged",
    "sigkills": "SIGKILLs",
    "restarts": "restarts and crashes",
    "retries": "failed attempts",
    "extra_executions": "extra executions",
    "reruns": "jobs of killed ones",
    "pairs_compared": "pairs compared",
}
_LONGEST = {
    "longest_rerun_seconds": "kill to re-run",
    "longest_waited_seconds": "lease to re-run",
    "longest_resume_seconds": "restart to work",
    "longest_beat_seconds": "the machine's beat",
}


@dataclass
class Totals:
    """Of the seeds that gave a report. broken: those that gave none. forgiven: time bounds that
    held only because the machine's own stalls were taken off."""

    scenario: str
    seeds: list[int] = field(default_factory=list)
    load_minutes: float = 0.0
    wall_minutes: float = 0.0
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ADDED, 0))
    longest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_LONGEST, 0.0))
    faults: Counter[str] = field(default_factory=Counter)
    stalled_seconds: float = 0.0
    forgiven: dict[int, list[str]] = field(default_factory=dict)
    troubles: int = 0
    violations: dict[int, list[str]] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)

    def add(self, seed: int, report: dict[str, Any]) -> None:
        """One more run."""
        self.seeds.append(seed)
        self.load_minutes += report["seconds"] / 60
        for name in _ADDED:
            self.sums[name] += report[name]
        for name in _LONGEST:
            self.longest[name] = max(self.longest[name], report[name])
        self.faults.update(report["faults"])
        self.stalled_seconds += report["stalled_seconds"]
        if report["forgiven"]:
            self.forgiven[seed] = report["forgiven"]
        self.troubles += sum(report["troubles"].values())
        if report["violations"]:
            self.violations[seed] = report["violations"]
        if report["skipped"]:
            self.skipped.add(report["skipped"])

    @property
    def clean(self) -> bool:
        """Whether every run gave a report, and none found anything."""
        return not self.violations and not self.broken

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = vars(self) | {"skipped": sorted(self.skipped)} | self.sums | self.longest
        del values["sums"], values["longest"]
        return values

    def text(self) -> str:
        """For people."""
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.items()))
        rows = {
            "seeds": f"{len(self.seeds)} ({_ranges(self.seeds)})",
            "minutes": f"{self.load_minutes:.1f} of load, {self.wall_minutes:.1f} on the clock",
            **{title: f"{self.sums[name]:,}" for name, title in _ADDED.items()},
            "faults": f"{self.faults.total():,}  ({faults or 'none'})",
            **{f"{title}, longest": f"{self.longest[n]:.1f} s" for n, title in _LONGEST.items()},
            "the machine stood still": f"{self.stalled_seconds:.1f} s",
            "forgiven for that": f"{_number(self.forgiven)}",
            "own troubles": f"{self.troubles}",
            "violations": f"{_number(self.violations)}",
        }
        lines = [f"  {title:29}{value}" for title, value in rows.items()]
        for title, by_seed in (("", self.violations), ("forgiven: ", self.forgiven)):
            for seed, found in sorted(by_seed.items()):
                lines += [f"    seed {seed}: {title}{text}" for text in found]
        if self.broken:
            lines.append(f"  gave no report               seeds {_ranges(self.broken)}")
        lines += [f"  SKIPPED                      {reason}" for reason in sorted(self.skipped)]
        return "\n".join([f"{self.scenario}, soak", *lines])


def _number(by_seed: dict[int, list[str]]) -> int:
    return sum(map(len, by_seed.values()))


def _ranges(numbers: list[int]) -> str:
    """`1-4, 7`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("-".join(map(str, one)) for one in found)
