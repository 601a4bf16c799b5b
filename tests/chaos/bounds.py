"""How soon things must go on again after a fault, not counting the time in which the machine itself
stood still."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.priorities import parse_pools
from tests.chaos.evidence import DEADLY, Evidence, Lease
from tests.chaos.plan import EVERYONE, LEASE_SECONDS, POOLS
from tests.chaos.violation import Violation
from tests.chaos.wellness import GENERAL, STEP_SECONDS, Wellness

RERUN_AFTER_LEASE_SECONDS = 2.0
RESUME_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Rerun:
    """A job that was taken from a killed worker, and how long after the kill it ran again.

    calm: one worker of its pool was well and had a free thread all the while. waited: for how long,
    at most, such a worker left the job lying once its lease had run out. stalled: for how much of
    that the machine stood still.
    """

    lease: Lease
    seconds: float
    calm: bool
    waited: float
    stalled: float


def reruns(evidence: Evidence) -> Iterator[Rerun]:
    """All that ran again."""
    wellness = Wellness(evidence)
    pools = parse_pools(POOLS).values()
    for lease in evidence.leases.values():
        if lease.how != "rescued" or lease.ended is None:
            continue
        death = evidence.exit_of(lease.pid)
        if death is None or not _was_killed(evidence, lease.pid):
            continue
        following = [one for one in evidence.leases_of(lease.job) if one.number > lease.number]
        # One that was taken from a stopped worker may run again before that is killed too.
        if following and following[0].claimed.t > death["t"]:
            began, ended = death["t"], following[0].claimed.t
            priority = lease.claimed.priority
            pool = next(one for one in pools if one.lowest <= priority <= one.highest)
            whole = wellness.longest(pool, began, ended)
            waited = wellness.longest(pool, began + LEASE_SECONDS, ended)
            calm = whole.seconds >= ended - began - STEP_SECONDS
            yield Rerun(lease, ended - began, calm, waited.seconds, waited.stalled)


def run_again_soon(evidence: Evidence) -> Iterator[Violation]:
    """A job of a killed worker runs again within a lease and two seconds; where all workers that
    could run it were hurt too, within two seconds of one of them being well."""
    for rerun in reruns(evidence):
        if rerun.waited - rerun.stalled > RERUN_AFTER_LEASE_SECONDS:
            what = f"{rerun.lease.job} lease {rerun.lease.number}: after {rerun.seconds:.1f} s"
            yield Violation(
                "run again too late", f"{what}, {rerun.waited:.1f} s of them for no reason"
            )


def resumptions(evidence: Evidence) -> Iterator[tuple[float, float]]:
    """When a server was up again, and how many seconds later a job was claimed."""
    claims = sorted(record["t"] for record in evidence.by_what["claim"])
    for record in (*evidence.by_what["database_up"], *evidence.by_what["web_up"]):
        following = next((t for t in claims if t > record["t"]), None)
        if following is not None:
            yield record["t"], following - record["t"]


def work_resumes_soon(evidence: Evidence) -> Iterator[Violation]:
    """Work goes on within ten seconds of a restart."""
    for up, seconds in resumptions(evidence):
        again = any(
            one.slot == EVERYONE and up < one.began < up + RESUME_SECONDS and one.kind in GENERAL
            for one in evidence.disturbances
        )
        stalled = evidence.stalls.within(up, up + seconds)
        if seconds - stalled > RESUME_SECONDS and not again:
            yield Violation("work resumes too late", f"{seconds:.1f} s after a server was up")


def _was_killed(evidence: Evidence, pid: int) -> bool:
    return any(one["kind"] in DEADLY and one.get("pid") == pid for one in evidence.by_what["fault"])
