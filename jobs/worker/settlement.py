"""What follows once the database has said what became of finished attempts."""

import structlog
from django.db import DataError

from jobs import storage
from jobs.outcomes import Cancel, Completed, Failed
from jobs.queue.finish import Finished, finish

# What an outcome of the wrong kind or with the wrong contents raises.
BAD_OUTCOME = (DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

log = structlog.get_logger(__name__)


def settle_alone(one: Finished) -> set[int]:
    """Settle one attempt; if its outcome cannot be stored the job fails and says so. Returns its
    lease if that was lost."""
    try:
        return finish([one])
    except BAD_OUTCOME as error:
        log.exception("job.unstorable", job_id=str(one.attempt.job_id))
        failed = Failed(f"The outcome cannot be stored: {error}", code="bad_result")
        return finish([Finished(one.attempt, failed)])


def settle(finished: list[Finished]) -> set[int]:
    """Settle attempts outside a step. Returns the leases that were lost."""
    try:
        return finish(finished)
    except BAD_OUTCOME:
        return set().union(*(settle_alone(one) for one in finished))


def clean_up(finished: list[Finished], lost: set[int]) -> None:
    """Keep the outputs that won, delete those of lost leases and of cancelled jobs. What cannot be
    deleted is logged, and goes with the job."""
    for one in finished:
        if one.attempt.lease in lost:
            log.warning("job.refused", job_id=str(one.attempt.job_id), reason="its lease was lost")
        try:
            _delete_outputs(one, lost=one.attempt.lease in lost)
        except (OSError, storage.StorageError) as error:
            log.warning("outputs.not_deleted", job_id=str(one.attempt.job_id), error=str(error))


def _delete_outputs(one: Finished, *, lost: bool) -> None:
    attempt, outcome = one
    if isinstance(outcome, Cancel) and not lost:
        storage.delete_attempts(attempt.job_id, attempt.lease)
    if isinstance(outcome, Completed) and outcome.output is not None:
        if lost:
            storage.delete_output(outcome.output)
        else:
            storage.remove_leftovers(attempt.job_id, attempt.lease)
