"""The row that tells people and health checks that this worker process lives."""

import os
import random
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from django.db.models.functions import Now

from jobs.models import REMOTE, WorkerProcess, new_id
from jobs.queue.database import Jsonb, fetch

FORGET_AFTER = timedelta(hours=1)
LOOKERS = 8

# One round trip: all processes do this three times a lease. It counts the others: an INSERT's own
# row is not there yet. Remote workers hear no signals and look after nothing: they do not count.
_SEEN = """
WITH own AS (
  INSERT INTO jobs_workerprocess (id, name, version, pools, wakeup)
  VALUES (%(id)s, %(name)s, %(version)s, %(pools)s, %(wakeup)s)
  ON CONFLICT (id) DO UPDATE SET wakeup = excluded.wakeup, seen_at = clock_timestamp()
  RETURNING drain_requested
)
SELECT count(*), count(*) FILTER (WHERE pools ?| %(names)s),
  (SELECT drain_requested FROM own),
  (SELECT coalesce(array_agg(name::text), '{}') FROM jobs_pausedpool)
FROM jobs_workerprocess
WHERE id <> %(id)s AND name NOT LIKE %(remote)s
  AND seen_at > clock_timestamp() - make_interval(secs => %(alive_for)s)
"""


def process_name() -> str:
    """host:pid, at most 100 characters."""
    return f"{socket.gethostname()[:90]}:{os.getpid()}"


class Presence:
    """Writes and removes the row of this process, and counts the others."""

    def __init__(
        self, pools: Mapping[str, int], wakeup: Callable[[], dict[str, str]], lease_seconds: float
    ) -> None:
        self._id = new_id()
        self._name = process_name()
        self._version = _version()
        self._pools = dict(pools)
        self._wakeup = wakeup
        self._alive_for = lease_seconds
        self.all_processes = 1
        self.processes = 1
        self.paused: frozenset[str] = frozenset()
        self.drain_requested = False

    def seen(self) -> None:
        """The process lives: insert or refresh its row; count the others, and read which pools are
        paused and whether this process is to drain."""
        [(others, same, self.drain_requested, paused)] = fetch(
            _SEEN,
            {
                "id": self._id,
                "name": self._name,
                "version": self._version,
                "pools": Jsonb(self._pools),
                "wakeup": Jsonb(self._wakeup()),
                "names": list(self._pools),
                "remote": f"{REMOTE}%",
                "alive_for": self._alive_for,
            },
        )
        self.all_processes = others + 1
        self.processes = same + 1
        self.paused = frozenset(paused)

    def alone(self) -> bool:
        """Whether no other process serves the same."""
        return self.processes <= 1

    def is_called(self) -> bool:
        """Whether this process looks for the job that a signal tells of: all do up to LOOKERS, and
        of more about so many, by chance. The others find it by polling, if it is still there."""
        return random.random() * self.processes < LOOKERS  # noqa: S311

    def gone(self) -> None:
        """The process ends: remove its row."""
        WorkerProcess.objects.filter(id=self._id).delete()


def forget_dead() -> None:
    """Remove the rows of processes that died without a word."""
    WorkerProcess.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()


def _version() -> str:
    try:
        return version("mediaproc")
    except PackageNotFoundError:
        return "source"
