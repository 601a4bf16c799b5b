"""What follows once the database has said what became of finished attempts."""

import structlog

from jobs import storage
from jobs.outcomes import Cancel, Completed
from jobs.queue.finish import Finished

log = structlog.get_logger(__name__)


def clean_up(finished: list[Finished], lost: set[int]) -> None:
    """Keep the outputs that won, delete those of lost leases and of cancelled jobs."""
    for attempt, outcome in finished:
        if attempt.lease in lost:
            log.warning("job.refused", job_id=str(attempt.job_id), reason="its lease was lost")
        if isinstance(outcome, Cancel) and attempt.lease not in lost:
            storage.delete_attempts(attempt.job_id, attempt.lease)
        if isinstance(outcome, Completed) and outcome.output is not None:
            if attempt.lease in lost:
                storage.delete_output(outcome.output)
            else:
                storage.remove_leftovers(attempt.job_id, attempt.lease)
