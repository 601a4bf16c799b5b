"""Claim jobs of some types only: for workers that cannot run them all."""

import json
from collections.abc import Collection

from jobs.attempt import Attempt
from jobs.queue.claim import Demand, read_claimed
from jobs.queue.database import fetch

_CLAIM = """
SELECT jobs_claim_typed(
  %(lowest)s, %(highest)s, %(types)s, %(owner)s, %(want)s, %(worker)s, %(lease_seconds)s,
  %(ageing_seconds)s)::text
"""


def claim_typed(
    demand: Demand, types: Collection[str], want: int, *, owner_id: int | None = None
) -> list[Attempt]:
    """Up to `want` jobs of these types, in running order. owner_id: of that owner only.

    Never call it inside a transaction of your own: what it claims would be nobody's on a rollback.
    """
    [(claimed,)] = fetch(
        _CLAIM,
        {
            "lowest": demand.lowest,
            "highest": demand.highest,
            "types": list(types),
            "owner": owner_id,
            "want": want,
            "worker": demand.worker,
            "lease_seconds": demand.lease_seconds,
            "ageing_seconds": demand.ageing_seconds,
        },
    )
    return read_claimed(json.loads(claimed))
