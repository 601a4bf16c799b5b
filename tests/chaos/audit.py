"""Judge a run: every invariant, over all the evidence."""

from collections.abc import Callable, Iterable
from itertools import chain

from tests.chaos import bounds, check_jobs, check_leases, check_order
from tests.chaos.evidence import Evidence
from tests.chaos.stalls import Stalls
from tests.chaos.violation import Violation

Check = Callable[[Evidence], Iterable[Violation]]


def nothing_is_left(evidence: Evidence) -> Iterable[Violation]:
    """No process and no file."""
    return [Violation("something is left", what) for what in evidence.left]


CHECKS: tuple[Check, ...] = (
    check_jobs.acknowledged_are_kept,
    check_jobs.nothing_from_nowhere,
    check_jobs.submitters_meet_no_surprise,
    check_jobs.all_are_final,
    check_jobs.only_legal_changes,
    check_jobs.one_metrics_row_a_success,
    check_jobs.right_ends,
    check_leases.settled_by_holder,
    check_leases.results_have_their_effect,
    check_leases.claims_are_real,
    check_leases.attempts_are_counted,
    check_leases.attempts_are_recorded,
    check_leases.every_loss_is_explained,
    check_leases.workers_begin_to_serve,
    check_leases.workers_end_by_faults,
    check_order.pools_keep_apart,
    check_order.first_come_first_served,
    bounds.run_again_soon,
    bounds.work_resumes_soon,
    nothing_is_left,
)


def audit(evidence: Evidence) -> list[Violation]:
    """All that is wrong, nothing when all is well."""
    return list(chain.from_iterable(check(evidence) for check in CHECKS))


def forgiven(evidence: Evidence, violations: list[Violation]) -> list[Violation]:
    """What else would be wrong, had the machine not stood still for the time that was measured."""
    if not evidence.stalls:
        return []
    measured, evidence.stalls = evidence.stalls, Stalls()
    try:
        known = {_subject(one) for one in violations}
        return [one for one in audit(evidence) if _subject(one) not in known]
    finally:
        evidence.stalls = measured


def _subject(violation: Violation) -> tuple[str, str]:
    """What it is about. By how much something is late differs with what is taken off."""
    return violation.rule, violation.detail.partition(":")[0]
