"""One thread a process: rescues jobs of dead workers, queues those whose time has come, and fails
those that nobody started in time."""

import random
import threading
import time

import structlog
from django.db import connection

from jobs.queue.expire import expire
from jobs.queue.promote import promote
from jobs.queue.rescue import BATCH, rescue
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.presence import forget_dead

FORGET_EVERY_SECONDS = 600.0

log = structlog.get_logger(__name__)


class Maintenance(threading.Thread):
    """Runs in every worker process; SKIP LOCKED lets any number of them work side by side."""

    def __init__(
        self,
        patience: Patience,
        *,
        scan_seconds: float,
        lease_seconds: float,
        most_lost_leases: int,
    ) -> None:
        super().__init__(name="maintenance", daemon=True)
        self._patience = patience
        self._scan_seconds = scan_seconds
        self._lease_seconds = lease_seconds
        self._most_lost_leases = most_lost_leases
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        forgot_at = time.monotonic()
        try:
            while not self._stopping.wait(self._scan_seconds * random.uniform(0.5, 1.0)):  # noqa: S311
                self._rescue()
                while self._patience.run(promote):
                    pass
                self._expire()
                if time.monotonic() - forgot_at > FORGET_EVERY_SECONDS:
                    forgot_at = time.monotonic()
                    self._patience.run(forget_dead)
        except GaveUp:
            pass
        finally:
            connection.close()

    def _expire(self) -> None:
        while expired := self._patience.run(expire):
            log.warning("jobs.expired", jobs=len(expired), first=expired[0])

    def _rescue(self) -> None:
        more = True
        while more:
            rescued = self._patience.run(
                lambda: rescue(self._lease_seconds, self._most_lost_leases)
            )
            for job_id, status, worker in rescued:
                log.warning("job.rescued", job_id=job_id, status=status, lost_by=worker)
            more = len(rescued) == BATCH
