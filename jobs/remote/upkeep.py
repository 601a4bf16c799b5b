"""Looks after all jobs in a web process: where all workers are remote, nobody else would."""

import atexit
import threading
import time
from collections.abc import Collection

import structlog
from django.conf import settings

from jobs.worker.heartbeat import RENEWALS_A_LEASE
from jobs.worker.looked import read_looked
from jobs.worker.maintenance import Maintenance
from jobs.worker.patience import Patience
from jobs.worker.sessions import bound_thread
from jobs.worker.wakeup import listeners_to_workers
from jobs.worker.wakeup.listener import PING_EVERY_SECONDS
from jobs.worker.watchdog import Watchdog

# How many others there are at least. A web process does not count them: this one tells them that
# it has looked, and leaves them the time to go first.
PROCESSES = 2
END_SECONDS = 1.0

log = structlog.get_logger(__name__)


class _Bounded(Maintenance):
    """Whose statements have the bounds of a worker process; those of requests have their own."""

    def run(self) -> None:
        """Until `stop`."""
        bound_thread()
        super().run()


class Upkeep:
    """The maintenance thread of a worker process, and what it needs, in this process.

    It takes turns with all others on the same database, in worker and in web processes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = False

    def begin(self) -> None:
        """Only the first call of a process does anything. It lasts until the process ends.

        So nothing is begun in a process that serves no remote worker, nor before it has forked.
        """
        with self._lock:
            if not self._begun:
                self._start()
                self._begun = True

    def _start(self) -> None:
        lease = settings.JOB_LEASE_SECONDS
        watchdog = Watchdog(min(lease / RENEWALS_A_LEASE, PING_EVERY_SECONDS))
        # Remote workers could renew nothing by this process before it began to serve them.
        patience = Patience(watchdog, lease, recovered_at=time.monotonic())
        maintenance = _Bounded(
            patience,
            lambda: PROCESSES,
            _wake,
            scan_seconds=settings.JOB_RETRY_SCAN_SECONDS,
            lease_seconds=lease,
            most_lost_leases=settings.JOB_MAX_LOST_LEASES,
        )

        def heard(payload: str) -> None:
            if (looked := read_looked(payload)) is not None:
                maintenance.heard(looked)

        def end() -> None:
            patience.give_up()
            maintenance.stop()
            maintenance.join(END_SECONDS)

        for thread in (watchdog, *listeners_to_workers(heard, watchdog), maintenance):
            thread.start()
        atexit.register(end)
        log.info("upkeep.started")


def _wake(priorities: Collection[int]) -> Collection[int]:
    """No thread here waits for jobs: all that do shall look."""
    return priorities


upkeep = Upkeep()
