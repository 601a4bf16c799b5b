"""One round trip of a worker thread: settle what it did, claim what it will do next."""

from typing import NamedTuple

from jobs.attempt import Attempt
from jobs.queue.claim import Demand, read_claimed
from jobs.queue.database import fetch
from jobs.queue.finish import Finished, lost_leases, pack

_STEP = (
    "SELECT settled, job_id, lease, number, max_attempts, job_type, source_file, target_format,"
    " priority, parameters, queued_at FROM jobs_step(%(finished)s, %(lowest)s, %(highest)s,"
    " %(want)s, %(worker)s, %(lease_seconds)s)"
)


class Stepped(NamedTuple):
    """lost: leases of which nothing was settled. claimed: in running order."""

    lost: set[int]
    claimed: list[Attempt]


def step(finished: list[Finished], demand: Demand, want: int) -> Stepped:
    """Settle `finished`, then claim up to `want` jobs, in one commit.

    Never call it inside a transaction of your own: what it claims would be nobody's on a rollback.
    """
    rows = fetch(
        _STEP,
        {
            "finished": pack(finished) if finished else None,
            "lowest": demand.lowest,
            "highest": demand.highest,
            "want": want,
            "worker": demand.worker,
            "lease_seconds": demand.lease_seconds,
        },
    )
    settled = rows[0][0]
    return Stepped(lost_leases(finished, settled), read_claimed([row[1:] for row in rows[1:]]))
