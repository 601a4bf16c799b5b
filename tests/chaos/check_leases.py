"""Only who holds the lease settles a job; every lease that was in vain has its reason."""

import signal
from collections import Counter
from collections.abc import Iterator
from math import inf

from jobs.states import Status
from tests.chaos.evidence import DEADLY, Disturbance, Evidence, Lease
from tests.chaos.plan import LEASE_SECONDS
from tests.chaos.violation import Violation

# How an attempt may end, by its outcome.
_ENDS = {
    "Completed": ("completed",),
    "Failed": ("failed",),
    "Retry": ("retried", "failed"),
    "Interrupted": ("handed back",),
}
# By how a lease ended, the outcome of its attempt in the history.
_RECORDED = {
    "failed": "failed",
    "retried": "retry",
    "handed back": "interrupted",
    "rescued": "lost",
    "given up": "lost",
}
# A worker renews three times a lease: shorter than this, nothing can be lost.
_NOTICEABLE_SECONDS = LEASE_SECONDS / 2
# What loses answers, and else costs nothing.
_SHORT = ("restart", "crash", "terminate", "cut", "ambiguous", "web_kill")
# From its start until a worker asks for a job: a second or two on a quiet machine. Nothing is
# promised of it, but while it lasts a worker is not asked to be quick, so it must end.
_START_SECONDS = 30.0


def settled_by_holder(evidence: Evidence) -> Iterator[Violation]:
    """What the database accepted from a worker, it accepted for the lease that the worker had."""
    for record in evidence.by_what["settled"]:
        for job, number, outcome in record["jobs"]:
            lease = evidence.leases.get(number)
            if lease is None or lease.job != job:
                yield Violation("settled without a claim", f"{job} lease {number}")
            elif lease.how not in _ENDS[outcome]:
                how = lease.how or "still held"
                yield Violation(
                    "finished by a lost lease, or an accepted result is lost",
                    f"{job} lease {number}: {outcome} was accepted, and it is {how}",
                )
    for row in evidence.rows:
        if row.status == Status.COMPLETED:
            last = evidence.leases_of(row.job)[-1] if evidence.leases_of(row.job) else None
            made_by = (row.result or {}).get("lease")
            if last is None or last.how != "completed" or made_by != last.number:
                yield Violation(
                    "finished by a lost lease", f"{row.job} holds the result of lease {made_by}"
                )


def results_have_their_effect(evidence: Evidence) -> Iterator[Violation]:
    """What was accepted as done was done, by who said so."""
    for lease in evidence.leases.values():
        if lease.how == "completed" and not lease.effect:
            yield Violation("completed without an effect", f"{lease.job} lease {lease.number}")


def claims_are_real(evidence: Evidence) -> Iterator[Violation]:
    """A worker got what the database gave it, and no more than it wanted; it ran only that."""
    for record in evidence.by_what["claim"]:
        if len(record["got"]) > record["want"]:
            got = len(record["got"])
            yield Violation("claimed too many", f"{got} instead of {record['want']}")
        for job, number, _ in record["got"]:
            lease = evidence.leases.get(number)
            if lease is None or lease.job != job:
                yield Violation("an answered claim is lost", f"{job} lease {number}")
    for record in evidence.by_what["start"]:
        lease = evidence.leases.get(record["lease"])
        if lease is None or lease.job != record["job"]:
            yield Violation("ran without a lease", f"{record['job']} lease {record['lease']}")
        elif lease.pid != record["pid"]:
            yield Violation("ran under another's lease", f"{lease.job} lease {lease.number}")
    for lease in evidence.leases.values():
        if len(lease.starts) > 1:
            times = len(lease.starts)
            yield Violation("ran twice under one lease", f"{lease.job} {lease.number}: {times}")


def attempts_are_counted(evidence: Evidence) -> Iterator[Violation]:
    """An attempt counts from its claim on; only one that failed stays counted."""
    for job in evidence.changes:
        counted = 0
        for lease in evidence.leases_of(job):
            if lease.claimed.attempt != counted + 1:
                yield Violation(
                    "attempt",
                    f"{job} lease {lease.number}: {lease.claimed.attempt}, not {counted + 1}",
                )
                break
            wrong = [one["attempt"] for one in lease.starts if one["attempt"] != counted + 1]
            if wrong:
                yield Violation("attempt", f"{job} lease {lease.number} was told {wrong}")
            counted += lease.how == "retried"


def attempts_are_recorded(evidence: Evidence) -> Iterator[Violation]:
    """Every attempt that did not complete its job is in its history once, and nothing else is.

    One that was handed back may have begun without having come to its first line.
    """
    for row in evidence.rows:
        leases = evidence.leases_of(row.job)
        surely = Counter(
            (lease.claimed.attempt, _RECORDED[lease.how])
            for lease in leases
            if lease.how in _RECORDED and (lease.starts or lease.how != "handed back")
        )
        perhaps = Counter(
            (lease.claimed.attempt, _RECORDED[lease.how])
            for lease in leases
            if lease.how == "handed back" and not lease.starts
        )
        recorded = Counter((number, outcome) for number, outcome in row.attempts)
        for number, outcome in surely - recorded:
            yield Violation("an attempt is missing in the history", f"{row.job} {number} {outcome}")
        for number, outcome in recorded - surely - perhaps:
            yield Violation("an attempt too many in the history", f"{row.job} {number} {outcome}")


def every_loss_is_explained(evidence: Evidence) -> Iterator[Violation]:
    """A lease that ended without a result has a fault in the ledger that accounts for it."""
    for lease in evidence.leases.values():
        if lease.how in ("retried", "handed back", "rescued", "given up") and not explanation(
            evidence, lease
        ):
            yield Violation(
                "unexplained",
                f"{lease.job} lease {lease.number} of {lease.slot or lease.claimed.worker}"
                f" was {lease.how}; {'known' if lease.known else 'not known'} to its worker",
            )


def explanation(evidence: Evidence, lease: Lease) -> str:
    """Why a lease ended without a result: a fault, a failed attempt; empty when nothing tells."""
    assert lease.ended is not None
    if lease.how == "retried":
        return "failed attempt" if lease.outcome == "Retry" else ""
    at_work = evidence.disturbed(lease.slot, lease.claimed.t, lease.ended.t) if lease.slot else []
    if lease.how == "handed back":
        if not lease.starts:
            return "behind a long job"
        return next((one.kind for one in at_work if one.kind == "term"), "")
    return next((one.kind for one in at_work if _costs_leases(one, lease)), "")


def _costs_leases(fault: Disturbance, lease: Lease) -> bool:
    if fault.kind in DEADLY:
        return True
    if fault.kind in ("stop", "half_open"):
        return fault.seconds >= _NOTICEABLE_SECONDS or not lease.known
    if fault.kind in ("full_disk", "term", "stall"):
        return True
    # An outage alone costs nothing, unless the answer to the claim went with it.
    return fault.kind in _SHORT and not lease.known


def workers_begin_to_serve(evidence: Evidence) -> Iterator[Violation]:
    """A worker that was started asks for jobs before long, unless it has ended."""
    began = {record["pid"]: record["t"] for record in evidence.by_what["serving"]}
    ended = {record["pid"]: record["t"] for record in evidence.by_what["exited"]}
    for record in evidence.by_what["spawned"]:
        pid, due = record["pid"], evidence.stalls.later(record["t"], _START_SECONDS)
        if min(began.get(pid, inf), ended.get(pid, inf)) > due:
            yield Violation("a worker does not begin to serve", f"{record['slot']}, process {pid}")


def workers_end_by_faults(evidence: Evidence) -> Iterator[Violation]:
    """No worker dies by itself, and none stays when told to end."""
    served = {record["pid"] for record in evidence.by_what["claim"]}
    for record in evidence.by_what["exited"]:
        faults = [one for one in evidence.by_what["fault"] if one.get("pid") == record["pid"]]
        told = any(one["kind"] == "term" for one in faults)
        killed = any(one["kind"] in DEADLY for one in faults)
        # SIGTERM ends a process that is still starting up; it has no job yet.
        early = record["code"] == -signal.SIGTERM and record["pid"] not in served
        if not (killed or (told and (record["code"] == 0 or early))):
            yield Violation(
                "a worker died by itself",
                f"{record['slot']}, process {record['pid']}, exit code {record['code']}",
            )
    for record in evidence.by_what["hung"]:
        yield Violation("a worker does not end", f"{record['slot']}, process {record['pid']}")
