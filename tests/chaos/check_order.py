"""Who goes first, and who is served by whom."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jobs.priorities import parse_pools
from jobs.states import Status
from tests.chaos.evidence import Evidence
from tests.chaos.plan import POLL_SECONDS, POOLS
from tests.chaos.violation import Violation

# These roll a claim back. One whose client died or lost its connection is committed all the same.
ABORTING = ("terminate", "restart", "crash", "full_disk")
# A claim that is rolled back may have held rows locked for so long, and others passed over them.
_LOCKED_SECONDS = 3.0
# Two jobs that were claimed farther apart than this are no pair worth counting.
_RECENT_SECONDS = 1.0
# A job that comes in before a place that was claimed already is looked for that often.
_LATE_SECONDS = POLL_SECONDS + 0.25


def pools_keep_apart(evidence: Evidence) -> Iterator[Violation]:
    """The thread of a pool runs what its pool serves."""
    pools = parse_pools(POOLS)
    for record in evidence.by_what["start"]:
        pool = pools.get(record["thread"].rpartition("-")[0])
        if pool is None or not pool.lowest <= record["priority"] <= pool.highest:
            yield Violation(
                "served by another pool",
                f"{record['job']} of priority {record['priority']} ran in {record['thread']}",
            )


@dataclass(frozen=True, slots=True)
class _First:
    """The first claim of a job.

    there: when its submitter had the answer. asked: when the call began that got it. seen: since
    when it must go first. That is later for one that came late: a job behind it in the line of its
    priority was claimed before it was there.
    """

    key: tuple[int, float, str]
    there: float
    asked: float
    got: float
    seen: float

    def had_to_precede(self, other: "_First") -> bool:
        """Whether it should go first and was there when the other was asked for."""
        return self.key < other.key and self.seen < other.asked


def first_come_first_served(evidence: Evidence) -> Iterator[Violation]:
    """In a pool a higher priority goes first, and within one who was queued first.

    A job that was committed before another's claim was asked for, and should have gone first, must
    not have been asked for only after that other had been claimed. One that was committed late,
    when its place had been passed, has a poll interval's grace.
    """
    breaks = _breaks(evidence)
    for firsts in _first_claims(evidence).values():
        latest_asked: list[float] = []  # of this and all before
        for first in firsts:
            latest_asked.append(max([first.asked, *latest_asked[-1:]]))
        for at, first in enumerate(firsts):
            if _broken(first, breaks):
                continue
            for earlier in range(at - 1, -1, -1):
                if latest_asked[earlier] <= first.got:
                    break
                passed = firsts[earlier]
                if passed.had_to_precede(first) and passed.asked > first.got:
                    yield Violation(
                        "passed over",
                        f"{passed.key[2]} (priority {-passed.key[0]}) came"
                        f" {first.asked - passed.there:.3f} s before the claim of {first.key[2]}"
                        f" (priority {-first.key[0]}) and was asked for"
                        f" {passed.asked - first.got:.3f} s after it",
                    )


def compared(evidence: Evidence) -> int:
    """How many pairs of jobs could have been served in the wrong order: the one that had to go
    first was there when the other was asked for, and nothing rolled claims back."""
    breaks = _breaks(evidence)
    pairs = 0
    for firsts in _first_claims(evidence).values():
        for at, first in enumerate(firsts):
            if not _broken(first, breaks):
                waiting = (one for one in firsts[:at] if one.got > first.asked - _RECENT_SECONDS)
                pairs += sum(one.had_to_precede(first) for one in waiting)
    return pairs


def _broken(first: _First, breaks: list[tuple[float, float]]) -> bool:
    return any(began <= first.got and first.asked <= ended for began, ended in breaks)


def _first_claims(evidence: Evidence) -> dict[str, list[_First]]:
    """By pool, in the order in which they should go."""
    there = {
        job: record["t"] for record in evidence.by_what["acknowledged"] for _, job in record["jobs"]
    }
    asked = {
        number: record["began"]
        for record in evidence.by_what["claim"]
        for _, number, _ in record["got"]
    }
    pools = parse_pools(POOLS)
    found: dict[str, list[_First]] = defaultdict(list)
    for job, changes in evidence.changes.items():
        leases = evidence.leases_of(job)
        # Those that were queued from the start; promotions are not acknowledged to anybody.
        if not leases or changes[0].new != Status.QUEUED or leases[0].number not in asked:
            continue
        change = leases[0].claimed
        pool = next(p.name for p in pools.values() if p.lowest <= change.priority <= p.highest)
        key = (-change.priority, change.queued or 0.0, job)
        came = there.get(job, float("inf"))
        found[pool].append(_First(key, came, asked[leases[0].number], change.t, came))
    passed = _passed(evidence)
    return {
        pool: [
            replace(first, seen=evidence.stalls.later(first.there, _LATE_SECONDS))
            if passed[first.key[2]] < first.there
            else first
            for first in sorted(firsts, key=lambda first: first.key)
        ]
        for pool, firsts in found.items()
    }


def _passed(evidence: Evidence) -> dict[str, float]:
    """By job: when somebody first claimed a job that stands behind its place, also one that was
    promoted or claimed again."""
    by_priority: dict[int, list[tuple[float, str, float]]] = defaultdict(list)
    for lease in evidence.leases.values():
        claimed = lease.claimed
        by_priority[claimed.priority].append((claimed.queued or 0.0, lease.job, claimed.t))
    passed: dict[str, float] = {}
    for claims in by_priority.values():
        soonest = float("inf")
        for _, job, moment in sorted(claims, reverse=True):
            passed[job] = soonest
            soonest = min(soonest, moment)
    return passed


def _breaks(evidence: Evidence) -> list[tuple[float, float]]:
    """When claims were rolled back, so that what they had locked came back."""
    unanswered = [(one["began"], one["t"]) for one in evidence.by_what["unanswered"]]
    database = [(one.began, one.ended) for one in evidence.disturbances if one.kind in ABORTING]
    return [(began, ended + _LOCKED_SECONDS) for began, ended in (*unanswered, *database)]
