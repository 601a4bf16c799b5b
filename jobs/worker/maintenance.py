"""One thread a process: rescues jobs of dead workers, queues those whose time has come, and now and
then adds up and prunes what has ended."""

import random
import threading
import time

import structlog
from django.db import connection

from jobs.queue.promote import promote
from jobs.queue.rescue import BATCH, rescue
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.presence import forget_dead
from jobs.worker.sweeps import sweeps

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
        now_and_then = sweeps()
        try:
            while not self._stopping.wait(self._scan_seconds * random.uniform(0.5, 1.0)):  # noqa: S311
                self._rescue()
                while self._patience.run(promote):
                    pass
                if time.monotonic() - forgot_at > FORGET_EVERY_SECONDS:
                    forgot_at = time.monotonic()
                    self._patience.run(forget_dead)
                for sweep in now_and_then:
                    sweep.run_if_due()
        except GaveUp:
            pass
        finally:
            connection.close()

    def _rescue(self) -> None:
        more = True
        while more:
            rescued = self._patience.run(
                lambda: rescue(self._lease_seconds, self._most_lost_leases)
            )
            for job_id, status, worker in rescued:
                log.warning("job.rescued", job_id=job_id, status=status, lost_by=worker)
            more = len(rescued) == BATCH
