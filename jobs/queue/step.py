"""One round trip of a worker thread: settle what it did, claim what it will do next."""

from dataclasses import dataclass

from jobs.queue.claim import Claimed, Demand, read_claimed
from jobs.queue.database import fetch
from jobs.queue.finish import Finished, pack
from jobs.states import Status

_STEP = (
    "SELECT id, lease, status, job_type, source_file, target_format, priority, parameters,"
    " attempt, queued_at FROM jobs_step(%(finished)s, %(lowest)s, %(highest)s, %(want)s,"
    " %(worker)s, %(lease_seconds)s)"
)
_CLAIMED = Status.IN_PROGRESS.value


@dataclass(frozen=True, slots=True)
class Stepped:
    """settled: the new status by lease (a lost lease is not in it). claimed: in running order."""

    settled: dict[int, Status]
    claimed: list[Claimed]


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
    return Stepped(
        settled={row[1]: Status(row[2]) for row in rows if row[2] != _CLAIMED},
        claimed=read_claimed([row for row in rows if row[2] == _CLAIMED]),
    )
