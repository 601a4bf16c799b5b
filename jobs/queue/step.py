"""One round trip of a worker thread: settle what it did, claim what it will do next."""

import json
from typing import NamedTuple

from jobs.attempt import Attempt
from jobs.queue.claim import Demand, read_claimed
from jobs.queue.database import Statement
from jobs.queue.finish import Finished, lost_leases, pack

_STEP = Statement("SELECT jobs_step($1, $2, $3, $4, $5, $6)")


class Stepped(NamedTuple):
    """lost: leases of which nothing was settled. claimed: in running order."""

    lost: set[int]
    claimed: list[Attempt]


def step(finished: list[Finished], demand: Demand, want: int) -> Stepped:
    """Settle `finished`, then claim up to `want` jobs, in one commit.

    Never call it inside a transaction of your own: what it claims would be nobody's on a rollback.
    """
    answer = _STEP.run(
        pack(finished) if finished else None,
        str(demand.lowest),
        str(demand.highest),
        str(want),
        demand.worker,
        str(demand.lease_seconds),
    )
    settled, claimed = json.loads(answer)
    return Stepped(lost_leases(finished, settled), read_claimed(claimed))
