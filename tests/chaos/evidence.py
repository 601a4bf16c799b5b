"""All that is known of a run, ready to be judged: ledger, history and rows, joined by lease."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from jobs.states import FINAL, Status
from tests.chaos.history import Change, History
from tests.chaos.ledger import Record
from tests.chaos.plan import EVERYONE, WORKFORCES, Workforce
from tests.chaos.stalls import Stalls

DEADLY = ("kill", "segfault", "exit", "poison")
# A statement that was sent is run although its sender has died.
_IN_FLIGHT_SECONDS = 1.0


@dataclass(slots=True)
class Lease:
    """One claim of a job, from the history, and what the ledger adds.

    known: the worker was told of it. how it ended: `completed`, `failed`, `retried`, `handed back`,
    `rescued`, `given up` (rescued once too often), or nothing while it has not.
    """

    number: int
    job: str
    claimed: Change
    slot: str
    pid: int
    known: bool = False
    ended: Change | None = None
    how: str = ""
    starts: list[Record] = field(default_factory=list)
    effect: bool = False
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A fault as an interval of time, of one slot or of everyone."""

    kind: str
    slot: str
    began: float
    ended: float
    seconds: float
    name: str

    def touches(self, slot: str, began: float, ended: float) -> bool:
        """Whether it was at work there and then."""
        here = self.slot in (EVERYONE, slot) or slot == EVERYONE
        return here and self.began <= ended and self.ended >= began


class Evidence:
    """drained: all jobs became final in time. left: what was there that should not be. workforce:
    who worked."""

    def __init__(
        self,
        records: list[Record],
        history: History,
        *,
        drained: bool,
        left: Iterable[str] = (),
        workforce: Workforce = WORKFORCES["local"],
    ) -> None:
        self.workforce = workforce
        self.drained = drained
        self.left = list(left)
        self.rows = history.rows
        self.by_what: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            self.by_what[record["what"]].append(record)
        self.changes: dict[str, list[Change]] = defaultdict(list)
        for change in history.changes:
            self.changes[change.job].append(change)
        self.stalls = Stalls((one["began"], one["t"]) for one in self.by_what["slow_beat"])
        self.slot_of = {record["pid"]: record["slot"] for record in self.by_what["spawned"]}
        self.leases = self._leases()
        self._add_what_workers_said()
        self.disturbances = [self._disturbance(record) for record in self.by_what["fault"]]

    def leases_of(self, job: str) -> list[Lease]:
        """All leases of a job, in order."""
        return self._of_job[job]

    def disturbed(self, slot: str, began: float, ended: float) -> list[Disturbance]:
        """What was at work on a slot in that time."""
        return [one for one in self.disturbances if one.touches(slot, began, ended)]

    def exit_of(self, pid: int) -> Record | None:
        """How a process ended, if it did."""
        return next((one for one in self.by_what["exited"] if one["pid"] == pid), None)

    def _leases(self) -> dict[int, Lease]:
        leases: dict[int, Lease] = {}
        self._of_job: dict[str, list[Lease]] = defaultdict(list)
        for job, changes in self.changes.items():
            for change in changes:
                if change.new == Status.IN_PROGRESS and change.new_lease is not None:
                    pid = int(change.worker.rpartition(":")[2] or 0)
                    slot = self.slot_of.get(pid, "")
                    lease = Lease(change.new_lease, job, change, slot, pid)
                    leases[change.new_lease] = lease
                    self._of_job[job].append(lease)
                elif change.old == Status.IN_PROGRESS and change.old_lease in leases:
                    lease = leases[change.old_lease]
                    if lease.ended is None:
                        lease.ended, lease.how = change, _how(change)
        return leases

    def _add_what_workers_said(self) -> None:
        for record in self.by_what["claim"]:
            for _, number, _ in record["got"]:
                if number in self.leases:
                    self.leases[number].known = True
        for record in (one for what in ("start", "effect", "end") for one in self.by_what[what]):
            lease = self.leases.get(record["lease"])
            if lease is None:
                continue
            match record["what"]:
                case "start":
                    lease.starts.append(record)
                case "effect":
                    lease.effect = True
                case _:
                    lease.outcome = record["outcome"]

    def _disturbance(self, record: Record) -> Disturbance:
        kind, slot, t = record["kind"], record["slot"], record["t"]
        began, ended = t, t
        if kind in DEADLY or kind == "term":
            ended = next(
                (one["t"] for one in self.by_what["exited"] if one["pid"] == record["pid"]), t
            )
        elif kind == "stop":
            after = [
                one["t"]
                for one in self.by_what["continued"]
                if one["pid"] == record["pid"] and one["t"] >= t
            ]
            ended = min(after, default=t + record["seconds"])
        elif kind == "ambiguous":
            began = t - _IN_FLIGHT_SECONDS
        else:
            after = [
                one["t"]
                for one in self.by_what["fault_over"]
                if one["name"] == record["name"] and one["slot"] == slot and one["t"] >= t
            ]
            ended = min(after, default=t)
        return Disturbance(
            kind,
            EVERYONE if slot == self.workforce.door else slot,
            began,
            ended + _IN_FLIGHT_SECONDS,
            record.get("seconds", 0.0),
            record["name"],
        )


def _how(change: Change) -> str:
    if change.new == Status.QUEUED:
        return "rescued" if change.new_lease is None else "handed back"
    if change.new == Status.FAILED and change.new_lease is None:
        return "given up"
    names = {Status.COMPLETED: "completed", Status.FAILED: "failed", Status.PENDING: "retried"}
    return next((name for status, name in names.items() if status == change.new), "")


def is_final(status: str | None) -> bool:
    """Whether a job with this status is done."""
    return status is not None and Status(status) in FINAL
