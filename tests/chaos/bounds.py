"""How soon things must go on again after a fault."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.priorities import parse_pools
from tests.chaos.evidence import DEADLY, Evidence, Lease
from tests.chaos.plan import EVERYONE, LEASE_SECONDS, POOLS, SLOTS
from tests.chaos.violation import Violation

RERUN_SECONDS = LEASE_SECONDS + 2.0
RESUME_SECONDS = 10.0
# Of everyone at once: while these last nobody can be asked to be quick.
_OUTAGES = ("restart", "crash", "full_disk")
_GENERAL = (*_OUTAGES, "terminate", "slow", "half_open", "stall")
# Of one worker: while these last it is not the one to be quick.
_HARMFUL = (*_GENERAL, *DEADLY, "stop", "term")
_START_SECONDS = 3.0  # of a worker, until it serves
# After its start the server rescues nothing for one lease.
_AFTER_START_SECONDS = LEASE_SECONDS + 2.0


@dataclass(frozen=True, slots=True)
class Rerun:
    """A job that was taken from a killed worker, and how long after the kill it ran again.

    calm: nothing else was wrong meanwhile, so that the bound holds.
    """

    lease: Lease
    seconds: float
    calm: bool


def reruns(evidence: Evidence) -> Iterator[Rerun]:
    """All that ran again."""
    for lease in evidence.leases.values():
        if lease.how != "rescued" or lease.ended is None:
            continue
        death = evidence.exit_of(lease.pid)
        if death is None or not _was_killed(evidence, lease.pid):
            continue
        following = [one for one in evidence.leases_of(lease.job) if one.number > lease.number]
        if following:
            seconds = following[0].claimed.t - death["t"]
            yield Rerun(lease, seconds, _calm(evidence, lease, death["t"]))


def run_again_soon(evidence: Evidence) -> Iterator[Violation]:
    """A job of a killed worker runs again within a lease and two seconds."""
    for rerun in reruns(evidence):
        if rerun.calm and rerun.seconds > RERUN_SECONDS:
            what = f"{rerun.lease.job} lease {rerun.lease.number}: after {rerun.seconds:.1f} s"
            yield Violation("run again too late", what)


def resumptions(evidence: Evidence) -> Iterator[tuple[float, float]]:
    """When the database was up again, and how many seconds later a job was claimed."""
    claims = sorted(record["t"] for record in evidence.by_what["claim"])
    for record in evidence.by_what["database_up"]:
        following = next((t for t in claims if t > record["t"]), None)
        if following is not None:
            yield record["t"], following - record["t"]


def work_resumes_soon(evidence: Evidence) -> Iterator[Violation]:
    """Work goes on within ten seconds of a restart of the database."""
    for up, seconds in resumptions(evidence):
        again = any(
            one.slot == EVERYONE and up < one.began < up + RESUME_SECONDS and one.kind in _GENERAL
            for one in evidence.disturbances
        )
        if seconds > RESUME_SECONDS and not again:
            yield Violation("work resumes too late", f"{seconds:.1f} s after the database was up")


def _was_killed(evidence: Evidence, pid: int) -> bool:
    return any(one["kind"] in DEADLY and one.get("pid") == pid for one in evidence.by_what["fault"])


def _calm(evidence: Evidence, lease: Lease, death: float) -> bool:
    """Whether somebody could have run the job again: a worker of its pool that nothing befell,
    with a thread that was free, while the database was well."""
    until = death + RERUN_SECONDS
    general = [
        one
        for one in evidence.disturbances
        if one.slot == EVERYONE
        and one.kind in _GENERAL
        and one.began < until
        and one.ended + (_AFTER_START_SECONDS if one.kind in _OUTAGES else 0) > death
    ]
    if general:
        return False
    priority = lease.claimed.priority
    pool = next(p for p in parse_pools(POOLS).values() if p.lowest <= priority <= p.highest)
    well = [
        slot
        for slot, served in SLOTS.items()
        if pool.name in served
        and not any(
            one.kind in _HARMFUL for one in evidence.disturbed(slot, death - LEASE_SECONDS, until)
        )
    ]
    starting = {
        record["slot"]
        for record in evidence.by_what["spawned"]
        if death - _START_SECONDS < record["t"] < until
    }
    well = [slot for slot in well if slot not in starting]
    return any(
        _had_free_thread(evidence, slot, pool.name, pool.threads, death + LEASE_SECONDS)
        for slot in well
    )


def _had_free_thread(evidence: Evidence, slot: str, pool: str, threads: int, after: float) -> bool:
    """Whether not all threads of the pool in that slot were at work on one job from then on."""
    busy = 0
    for lease in evidence.leases.values():
        if lease.slot != slot or lease.ended is None or not lease.starts:
            continue
        thread = str(lease.starts[0]["thread"])
        if thread.startswith(f"{pool}-") and lease.claimed.t < after + 1 < lease.ended.t:
            busy += 1
    return busy < threads
