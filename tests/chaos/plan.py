"""A plan: who runs, what is submitted, and every fault, all of it known before the run begins."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

LEASE_SECONDS = 3.0
SCAN_SECONDS = 0.3
POLL_SECONDS = 0.5
GRACE_SECONDS = 1.5
MOST_LOST_LEASES = 3

# With the threads that local workers have for each.
POOLS = "high=7-10:2,low=0-6:2"
SLOTS: dict[str, tuple[str, ...]] = {
    "high-1": ("high",),
    "high-2": ("high",),
    "low-1": ("low",),
    "low-2": ("low",),
    "both": ("high", "low"),
}
# A remote worker serves one pool.
REMOTE_SLOTS = {**SLOTS, "both": ("low",)}
EVERYONE = "*"
DOORS = ("api", "python")
# The door of the machine's own pulse, which EVERYONE does not mean.
PULSE_DOOR = "pulse"


@dataclass(frozen=True, slots=True)
class Workforce:
    """Who works in the slots.

    command: of manage.py. slots: which pools each serves. threads: how many jobs of a pool one does
    at a time. door: of the proxy, through which all of them come to the database, where it is one.
    pause: for how many seconds, at most, one to whom nobody answers does not ask again.
    """

    command: str
    slots: dict[str, tuple[str, ...]]
    threads: int
    door: str = ""
    pause: float = 0.0


WORKFORCES = {
    "local": Workforce("run_workers", SLOTS, 2),
    "remote": Workforce("remote_worker", REMOTE_SLOTS, 1, door="api", pause=5.0),
}

# Shares of what is submitted. The rare ones hold a thread for long.
MIX = {
    "quick": 700,
    "short": 120,
    "medium": 50,
    "scheduled": 30,
    "flaky": 50,
    "broken": 20,
    "raising": 10,
    "file": 20,
    "long": 5,
    "deaf": 5,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do to somebody, at a named point or at a moment.

    slot: a worker slot, a door of the proxy, or EVERYONE. point and number: the pass at which a
    worker does it to itself. at: seconds after the load began. seconds: how long it lasts.
    """

    kind: str
    slot: str = EVERYONE
    point: str = ""
    number: int = 0
    at: float = 0.0
    seconds: float = 0.0
    how: str = ""

    @property
    def name(self) -> str:
        """`kill@claim.after_commit#37`, or `restart@12.5s`."""
        kind = f"{self.kind}-{self.how}" if self.how else self.kind
        return f"{kind}@{self.point}#{self.number}" if self.point else f"{kind}@{self.at:.1f}s"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run depends on.

    workers: a name in WORKFORCES. rate: jobs a second. mix: shares of the kinds of jobs.
    environment: of workers and web server, over the usual one. tmpfs: the database is on a small
    file system of its own. idle_seconds: how long workers find nothing before the load begins.
    drain_seconds: how long the backlog may take after it has ended.
    """

    seed: int
    scenario: str
    seconds: float
    faults: tuple[Fault, ...] = ()
    workers: str = "local"
    rate: float = 40.0
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    environment: dict[str, str] = field(default_factory=dict)
    redis: bool = False
    tmpfs: bool = False
    idle_seconds: float = 0.0
    drain_seconds: float = 40.0
    comment: str = ""

    @property
    def workforce(self) -> Workforce:
        """Who works."""
        return WORKFORCES[self.workers]

    @classmethod
    def read(cls, path: Path) -> Self:
        """A plan that `write` wrote."""
        values: dict[str, Any] = json.loads(path.read_text())
        faults = tuple(Fault(**fault) for fault in values.pop("faults"))
        return cls(**values, faults=faults)

    def without(self, kind: str) -> Self:
        """The same, but for the faults of one kind."""
        faults = tuple(fault for fault in self.faults if fault.kind != kind)
        return replace(self, faults=faults, tmpfs=self.tmpfs and kind != "full_disk")

    def write(self, path: Path) -> None:
        """As JSON that a person can read and change: a fault a line, what is not said left out."""
        values = asdict(self)
        faults = [
            json.dumps({name: value for name, value in asdict(fault).items() if value})
            for fault in self.faults
        ]
        values.pop("faults")
        head = json.dumps(values, indent=1).removesuffix("\n}")
        path.write_text(head + ',\n "faults": [\n  ' + ",\n  ".join(faults) + "\n ]\n}\n")
