"""Count the requests of clients, and forget what is remembered of requests."""

import json
from dataclasses import dataclass

from jobs.queue.database import fetch
from jobs.statement import Statement

KEPT = "24 hours"
_BATCH = 1000

# A clock that another request saw a little later must not begin an older minute anew.
_COUNT = Statement(
    """
INSERT INTO jobs_requestcount AS counted (client, minute, requests)
VALUES ($1, date_trunc('minute', clock_timestamp()), 1)
ON CONFLICT (client) DO UPDATE SET
  minute = greatest(counted.minute, excluded.minute),
  requests = CASE WHEN counted.minute < excluded.minute THEN 1
    ELSE least(counted.requests, $2::integer) + 1 END
RETURNING json_build_array(requests,
  greatest(extract(epoch FROM minute + interval '1 minute' - clock_timestamp()), 0)::float8)
"""
)
_PRUNE = """
WITH old_keys AS (
  DELETE FROM jobs_idempotencykey WHERE digest IN (
    SELECT digest FROM jobs_idempotencykey
    WHERE created_at < clock_timestamp() - %(kept)s::interval
    ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
  RETURNING 1
), old_counts AS (
  DELETE FROM jobs_requestcount WHERE client IN (
    SELECT client FROM jobs_requestcount
    WHERE minute < clock_timestamp() - interval '1 hour'
    LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
  RETURNING 1
)
SELECT (SELECT count(*) FROM old_keys), (SELECT count(*) FROM old_counts)
"""


@dataclass(frozen=True, slots=True)
class Count:
    """Requests of this minute, this one included, and the seconds that are left of it."""

    requests: int
    seconds_left: float


def count(client: str, most: int) -> Count:
    """Count one more, in one statement. Beyond `most` it counts no further."""
    return Count(*json.loads(_COUNT.run(client, str(most))))


def prune_requests() -> bool:
    """A sweep: forget answers of a day ago and clients of an hour ago. Whether more is left."""
    [(keys, counts)] = fetch(_PRUNE, {"kept": KEPT, "batch": _BATCH})
    return _BATCH in (keys, counts)
