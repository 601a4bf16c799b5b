"""The figures of a run, for people and for machines."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos import bounds, check_order
from tests.chaos.check_leases import explanation
from tests.chaos.evidence import Evidence
from tests.chaos.plan import Plan
from tests.chaos.unfired import unfired
from tests.chaos.violation import Violation

_SHOWN = 12


@dataclass
class Report:
    """What came of a run."""

    scenario: str
    seed: int
    seconds: float
    acknowledged: int
    ended: dict[str, int]
    faults: dict[str, int]
    sigkills: int
    restarts: int
    retries: int
    extra_executions: int
    explained_by: dict[str, int]
    reruns: int
    calm_reruns: int
    longest_rerun_seconds: float
    longest_waited_seconds: float
    longest_resume_seconds: float
    pairs_compared: int
    unfired: list[str]
    stalled_seconds: float
    longest_beat_seconds: float
    forgiven: list[str]
    troubles: dict[str, int]
    violations: list[str] = field(default_factory=list)
    skipped: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def text(self) -> str:
        """For people."""
        if self.skipped and not self.acknowledged:
            return f"{self.scenario}: SKIPPED, {self.skipped}"
        calm = f"{self.calm_reruns} of {self.reruns}, when nothing else was wrong"
        waited = (
            f"{self.longest_waited_seconds:.1f} s at the longest (all, while a worker was well)"
        )
        still = (
            f"still for {self.stalled_seconds:.1f} s in all; its longest beat took"
            f" {self.longest_beat_seconds:.2f} s"
        )
        missing = f"{len(self.unfired)} planned ones"
        lines = [
            f"{self.scenario}, seed {self.seed}, {self.seconds:.0f} s",
            f"  jobs acknowledged    {self.acknowledged}",
            f"  ended                {_counts(self.ended)}",
            f"  faults               {_counts(self.faults)}",
            f"  SIGKILLs, restarts   {self.sigkills}, {self.restarts}",
            f"  failed attempts      {self.retries} were tried again",
            f"  extra executions     {self.extra_executions}  ({_counts(self.explained_by)})",
            f"  from kill to re-run  {self.longest_rerun_seconds:.1f} s at the longest ({calm})",
            f"  from lease to re-run {waited}",
            f"  from restart to work {self.longest_resume_seconds:.1f} s at the longest",
            f"  in turn              {self.pairs_compared} pairs of jobs compared",
            f"  faults not reached   {missing}{': ' if self.unfired else ''}{_some(self.unfired)}",
            f"  the machine stood    {still}",
            f"  forgiven for that    {len(self.forgiven)} time bounds",
            *(f"    {text}" for text in self.forgiven[:_SHOWN]),
            f"  own troubles         {_counts(self.troubles)}",
            *([f"  SKIPPED              {self.skipped}"] if self.skipped else []),
            f"  violations           {len(self.violations)}",
            *(f"    {text}" for text in self.violations[:_SHOWN]),
        ]
        return "\n".join(lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def _some(names: list[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def make_report(
    plan: Plan, evidence: Evidence, violations: list[Violation], forgiven: list[Violation]
) -> Report:
    """From what is known."""
    faults = Counter(
        record["name"] if record["kind"] == "poison" else record["kind"]
        for record in evidence.by_what["fault"]
        if record["kind"] != "continue"
    )
    earlier = [lease for job in evidence.changes for lease in _executed(evidence, job)[:-1]]
    again = [lease for lease in earlier if lease.how != "retried"]
    reruns = list(bounds.reruns(evidence))
    calm = [one.seconds for one in reruns if one.calm]
    return Report(
        scenario=plan.scenario,
        seed=plan.seed,
        seconds=plan.seconds,
        acknowledged=sum(len(one["jobs"]) for one in evidence.by_what["acknowledged"]),
        ended=dict(Counter(_end(row.status, row.code) for row in evidence.rows)),
        faults=dict(faults),
        sigkills=sum(one["code"] == -9 for one in evidence.by_what["exited"]),
        restarts=len(evidence.by_what["database_up"]),
        retries=len(earlier) - len(again),
        extra_executions=len(again),
        explained_by=dict(
            Counter(explanation(evidence, one) or "nothing" for one in again if one.ended)
        ),
        reruns=len(reruns),
        calm_reruns=len(calm),
        longest_rerun_seconds=round(max(calm, default=0.0), 3),
        longest_waited_seconds=round(max((one.waited for one in reruns), default=0.0), 3),
        pairs_compared=check_order.compared(evidence),
        unfired=unfired(plan, evidence),
        longest_resume_seconds=round(
            max((took for _, took in bounds.resumptions(evidence)), default=0.0), 3
        ),
        stalled_seconds=round(evidence.stalls.total, 3),
        longest_beat_seconds=max((one["longest"] for one in evidence.by_what["pulse"]), default=0),
        forgiven=[str(one) for one in forgiven],
        troubles=dict(Counter(one["doing"] for one in evidence.by_what["trouble"])),
        violations=[str(one) for one in violations],
    )


def _executed(evidence: Evidence, job: str) -> list[Any]:
    return [lease for lease in evidence.leases_of(job) if lease.starts]


def _end(status: str, code: str) -> str:
    return f"{status} ({code})" if code else status


def skipped(plan: Plan, reason: str) -> Report:
    """The report of a run that this machine cannot do."""
    return Report(
        plan.scenario,
        plan.seed,
        plan.seconds,
        0,
        {},
        {},
        0,
        0,
        0,
        0,
        {},
        0,
        0,
        0.0,
        0.0,
        0.0,
        0,
        [],
        0.0,
        0.0,
        [],
        {},
        [],
        reason,
    )
