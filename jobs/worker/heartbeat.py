"""One thread a process: renews its leases, writes progress, says that the process lives."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import connection

from jobs.queue.finish import finish
from jobs.queue.lease import heartbeat
from jobs.queue.progress import report_progress
from jobs.queue.signal import announce
from jobs.worker.leases import Leases
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.presence import Presence

RENEWALS_A_LEASE = 3
PROGRESS_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 0.25
T = TypeVar("T")

log = structlog.get_logger(__name__)


class Heartbeat(threading.Thread):
    """Renews three times a lease time, so that two renewals may fail before a lease is lost.

    A lease that was lost, to a rescue while this process could not be heard, stops its attempt. An
    outage of the database alone stops nothing: nobody else can claim meanwhile either, and every
    result is fenced by its lease. A connection that hangs is given up after a third of a lease
    time: a new one is then still in time.
    """

    def __init__(
        self, leases: Leases, presence: Presence, patience: Patience, lease_seconds: float
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._leases = leases
        self._presence = presence
        self._patience = patience
        self._lease_seconds = lease_seconds
        self._renew_every = lease_seconds / RENEWALS_A_LEASE
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`."""
        renewed_at = 0.0
        try:
            while not self._stopping.wait(min(PROGRESS_SECONDS, self._renew_every / 2)):
                if time.monotonic() - renewed_at >= self._renew_every:
                    renewed_at = time.monotonic()
                    self._renew()
                    self._run(self._say_alive)
                self._write_progress()
                self._hand_back_waiting()
        except GaveUp:
            pass
        finally:
            connection.close()

    def _run(self, operation: Callable[[], T]) -> T:
        return self._patience.run(operation, seconds=self._renew_every)

    def _say_alive(self) -> None:
        asked_at = time.monotonic()
        self._presence.seen()
        self._leases.renewed(asked_at)

    def _renew(self) -> None:
        held = {one.attempt.lease: one for one in self._leases.held()}
        if not held:
            return
        ids = {lease: one.attempt.job_id for lease, one in held.items()}
        for lease in self._run(lambda: heartbeat(ids, self._lease_seconds)):
            execution = held[lease]
            if execution.stopped() or execution.ended:
                continue  # told before, or being settled this moment
            log.warning(
                "lease.lost", job_id=str(execution.attempt.job_id), attempt=execution.attempt.number
            )
            execution.stop()

    def _hand_back_waiting(self) -> None:
        """A job that turned out long holds up the rest of its chunk: others shall do it."""
        if waiting := self._leases.take_waiting(LONGEST_WAIT_SECONDS):
            self._run(lambda: finish(waiting))
            announce(*{one.attempt.priority for one in waiting})
            log.info("jobs.handed_back", jobs=len(waiting), reason="behind a long job")

    def _write_progress(self) -> None:
        reports = [
            report for one in self._leases.held() if (report := one.take_progress()) is not None
        ]
        if reports:
            self._run(lambda: report_progress(reports))
