"""The row that shows a remote worker beside the local processes."""

from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from jobs.models import REMOTE
from jobs.queue.database import Jsonb, fetch

_SEEN = """
WITH own AS (
  INSERT INTO jobs_workerprocess (id, name, version, pools, wakeup)
  VALUES (%(id)s, %(name)s, %(version)s, %(pools)s, '{}')
  ON CONFLICT (id) DO UPDATE SET pools = excluded.pools, seen_at = clock_timestamp()
  RETURNING drain_requested
)
SELECT own.drain_requested, EXISTS (SELECT FROM jobs_pausedpool WHERE name = %(pool)s) FROM own
"""
_STILL = """
UPDATE jobs_workerprocess SET seen_at = clock_timestamp() WHERE id = %(id)s
RETURNING drain_requested
"""
_GONE = "DELETE FROM jobs_workerprocess WHERE id = %(id)s RETURNING id"


class Wishes(NamedTuple):
    """What operators want of the worker: drain: it shall end; paused: its pool claims nothing."""

    drain: bool
    paused: bool


def worker_id(user_id: int, name: str) -> UUID:
    """The same for every request of a worker; two users' workers never share one."""
    return uuid5(NAMESPACE_URL, f"{user_id}/{name}")


def display_name(name: str) -> str:
    """As operators see it: none can call itself by the name of a local process."""
    return f"{REMOTE}{name}"


def seen(
    worker: UUID, name: str, version: str, pool: str, threads: int, *, serves_all: bool
) -> Wishes:
    """The worker asks for jobs: insert or refresh its row. One that does only its own user's jobs
    is not counted among those that serve the pool."""
    values = {"id": worker, "name": display_name(name), "version": version, "pool": pool}
    [wishes] = fetch(_SEEN, {**values, "pools": Jsonb({pool: threads} if serves_all else {})})
    return Wishes(*wishes)


def still_there(worker: UUID) -> bool:
    """The worker has renewed a lease. Returns whether it shall end."""
    return any(drain for (drain,) in fetch(_STILL, {"id": worker}))


def gone(worker: UUID) -> None:
    """The worker ends."""
    fetch(_GONE, {"id": worker})
