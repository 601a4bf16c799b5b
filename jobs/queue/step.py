"""One round trip of a worker thread: settle what it did, claim what it will do next."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from jobs.attempt import Attempt
from jobs.queue.claim import Demand, Position, pack_positions, read_claimed, read_reached
from jobs.queue.finish import Finished, lost_leases, pack
from jobs.statement import Statement

_STEP = Statement("SELECT jobs_step($1, $2, $3, $4, $5, $6, $7, $8)")
_STEP_AGEING = Statement("SELECT jobs_step_ageing($1, $2, $3, $4, $5, $6, $7, $8, $9)")
EVERYTHING: Mapping[int, Position] = MappingProxyType({})


class Stepped(NamedTuple):
    """lost: leases of which nothing was settled. claimed: in running order. reached: the last
    position that was claimed of each priority, for `after` of a later step."""

    lost: set[int]
    claimed: list[Attempt]
    reached: dict[int, Position]


def step(
    finished: list[Finished],
    demand: Demand,
    want: int,
    after: Mapping[int, Position] = EVERYTHING,
) -> Stepped:
    """Settle `finished`, then claim up to `want` jobs that stand behind `after`, in one commit.

    Never call it inside a transaction of your own: what it claims would be nobody's on a rollback.
    """
    after_at, after_id = pack_positions(demand, after)
    values = (
        *pack(finished),
        str(demand.highest),
        after_at,
        after_id,
        str(want),
        demand.worker,
        str(demand.lease_seconds),
    )
    if demand.ageing_seconds:
        answer = _STEP_AGEING.run(*values, str(demand.ageing_seconds))
    else:
        answer = _STEP.run(*values)
    settled, rows = json.loads(answer)
    rows = rows or []
    return Stepped(lost_leases(finished, settled), read_claimed(rows), read_reached(rows))
