"""What a processor saves for the next attempt at its job: a state, and results of named steps."""

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from jobs.attempt import Attempt
from jobs.queue.database import Jsonb, fetch

_LOAD = """
SELECT kept.state::text, kept.steps::text
FROM jobs_job job LEFT JOIN jobs_jobcheckpoint kept ON kept.job_id = job.id
WHERE job.id = %(id)s AND job.lease = %(lease)s AND job.lease_expires_at IS NOT NULL
"""
# Only the holder of the lease writes, and its row is locked until it has: a rescue comes before,
# and nothing is written, or after.
_SAVE = """
WITH mine AS MATERIALIZED (
  SELECT id FROM jobs_job
  WHERE id = %(id)s AND lease = %(lease)s AND lease_expires_at IS NOT NULL
  FOR NO KEY UPDATE
)
INSERT INTO jobs_jobcheckpoint AS kept (job_id, state, steps, saved_at)
SELECT id, %(state)s, %(steps)s, clock_timestamp() FROM mine
ON CONFLICT (job_id) DO UPDATE SET
  state = EXCLUDED.state, steps = EXCLUDED.steps, saved_at = EXCLUDED.saved_at
RETURNING true
"""


class Checkpoint(NamedTuple):
    """state: None when none was saved. steps: the result of each step that is done, by name."""

    state: dict[str, Any] | None
    steps: dict[str, Any]


NOTHING = Checkpoint(None, {})


def load(attempt: Attempt) -> Checkpoint | None:
    """What was saved last, by whichever attempt. None: the lease is lost."""
    rows = fetch(_LOAD, {"id": attempt.job_id, "lease": attempt.lease})
    if not rows:
        return None
    [(state, steps)] = rows
    return NOTHING if steps is None else Checkpoint(json.loads(state), json.loads(steps))


def save(attempt: Attempt, state: Mapping[str, Any] | None, steps: Mapping[str, Any]) -> bool:
    """Keep this instead of what was kept. False: the lease is lost, and nothing was written."""
    values = {"state": Jsonb(state), "steps": Jsonb(steps)}
    return bool(fetch(_SAVE, {"id": attempt.job_id, "lease": attempt.lease, **values}))


def forget(job_ids: Collection[UUID]) -> None:
    """Delete what was saved for these jobs: they are completed."""
    fetch(
        "DELETE FROM jobs_jobcheckpoint WHERE job_id = ANY(%(ids)s) RETURNING job_id",
        {"ids": list(job_ids)},
    )
