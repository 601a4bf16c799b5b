"""What follows once the database has said what became of a finished attempt."""

import structlog

from jobs import storage
from jobs.outcomes import Completed
from jobs.queue.finish import Finished, settled_earlier
from jobs.states import Status
from jobs.worker.leases import Leases
from jobs.worker.patience import Patience

log = structlog.get_logger(__name__)


def settle(
    finished: list[Finished], settled: dict[int, Status], leases: Leases, patience: Patience
) -> None:
    """Let go of the leases, keep the outputs that won, delete those of lost leases."""
    unsettled = [one for one in finished if one.lease not in settled]
    if unsettled:
        settled = settled | patience.run(lambda: settled_earlier(unsettled))
    for one in finished:
        leases.remove(one.lease)
        status = settled.get(one.lease)
        if status is None:
            log.warning("job.refused", job_id=str(one.job_id), reason="its lease was lost")
        if isinstance(one.outcome, Completed) and one.outcome.output is not None:
            if status is Status.COMPLETED:
                storage.remove_leftovers(one.job_id, one.lease)
            else:
                storage.delete_output(one.outcome.output)
