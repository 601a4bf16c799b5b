"""Which worker could have served at a moment: nothing was wrong with it nor with the database."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from jobs.priorities import Pool
from tests.chaos.evidence import DEADLY, Evidence
from tests.chaos.plan import EVERYONE, LEASE_SECONDS

# Of everyone at once: while these last nobody can be asked to be quick.
OUTAGES = ("restart", "crash", "full_disk", "web_kill")
GENERAL = (*OUTAGES, "terminate", "slow", "half_open", "stall")
# Of one worker: while these last it is not the one to be quick.
_HARMFUL = (*GENERAL, *DEADLY, "stop", "term")
# A job that lasts longer holds its thread; the others come and go.
_LONG_SECONDS = 0.5
STEP_SECONDS = 0.05

_Interval = tuple[float, float]


class Stretch(NamedTuple):
    """So many seconds during which a worker was well, and the machine stood still for some."""

    seconds: float
    stalled: float

    @property
    def fair(self) -> float:
        """How many of them it could have worked."""
        return self.seconds - self.stalled


class Wellness:
    """Of every worker slot, at any moment."""

    def __init__(self, evidence: Evidence) -> None:
        self._stalls = evidence.stalls
        self._workforce = evidence.workforce
        self._ill: dict[str, list[_Interval]] = defaultdict(list)
        self._busy: dict[tuple[str, str], list[_Interval]] = defaultdict(list)
        for one in evidence.disturbances:
            if one.kind in _HARMFUL:
                # After its start a server rescues nothing for one lease; who found none waits.
                after = max(LEASE_SECONDS, self._workforce.pause) if one.kind in OUTAGES else 0.0
                self._ill[one.slot].append((one.began, one.ended + after))
        for record in evidence.by_what["exited"]:
            served = [
                one["t"]
                for one in evidence.by_what["serving"]
                if one["slot"] == record["slot"] and one["t"] > record["t"]
            ]
            self._ill[record["slot"]].append((record["t"], min(served, default=float("inf"))))
        for lease in evidence.leases.values():
            ended = lease.ended.t if lease.ended else float("inf")
            if lease.starts and ended - lease.claimed.t > _LONG_SECONDS:
                pool = str(lease.starts[0]["thread"]).rpartition("-")[0]
                self._busy[lease.slot, pool].append((lease.claimed.t, ended))

    def longest(self, pool: Pool, began: float, ended: float) -> Stretch:
        """For how long one and the same worker of the pool was well without a break, at most; of
        several stretches the one in which it could have worked longest."""
        slots = [slot for slot, served in self._workforce.slots.items() if pool.name in served]
        return max((self._longest(slot, pool, began, ended) for slot in slots), key=_fair)

    def _longest(self, slot: str, pool: Pool, began: float, ended: float) -> Stretch:
        ill = [*_within(self._ill[slot], began, ended), *_within(self._ill[EVERYONE], began, ended)]
        busy = _within(self._busy[slot, pool.name], began, ended)
        longest = current = Stretch(0.0, 0.0)
        moment = began
        while moment < ended:
            well = not _count(ill, moment) and _count(busy, moment) < self._workforce.threads
            stalled = self._stalls.within(moment, moment + STEP_SECONDS)
            seconds = current.seconds + STEP_SECONDS
            current = Stretch(seconds, current.stalled + stalled) if well else Stretch(0.0, 0.0)
            longest = max(longest, current, key=_fair)
            moment += STEP_SECONDS
        return longest


def _fair(stretch: Stretch) -> tuple[float, float]:
    return stretch.fair, stretch.seconds


def _within(intervals: Iterable[_Interval], began: float, ended: float) -> list[_Interval]:
    return [one for one in intervals if one[0] <= ended and one[1] >= began]


def _count(intervals: list[_Interval], moment: float) -> int:
    return sum(began <= moment <= ended for began, ended in intervals)
