"""One thread a process: renews its leases, writes progress, keeps time limits, looks for cancelled
jobs, and says that the process lives."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import connection

from jobs.queue.cancel import requested
from jobs.queue.finish import Finished, finish
from jobs.queue.lease import heartbeat
from jobs.queue.progress import report_progress
from jobs.queue.signal import announce
from jobs.worker.deadlines import Deadlines
from jobs.worker.execution import Execution
from jobs.worker.leases import Leases
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.presence import Presence
from jobs.worker.settlement import settle

RENEWALS_A_LEASE = 3
TICK_SECONDS = 1.0
# A job that is younger is not asked about: short ones end before anybody could cancel them.
CANCELLABLE_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 0.25
T = TypeVar("T")

log = structlog.get_logger(__name__)


class Heartbeat(threading.Thread):
    """Renews three times a lease time, so that two renewals may fail before a lease is lost.

    A lease that was lost, to a rescue while this process could not be heard, stops its attempt. An
    outage of the database alone stops nothing: nobody else can claim meanwhile either, and every
    result is fenced by its lease. A connection that hangs is given up after a third of a lease
    time: a new one is then still in time.

    replace: called with an execution whose thread does not come back. settled: called with what was
    settled here instead of in its thread, and the leases that were lost. obey: called when
    `presence` has seen which pools are paused, and whether the process is to drain.
    """

    def __init__(
        self,
        leases: Leases,
        presence: Presence,
        patience: Patience,
        lease_seconds: float,
        *,
        replace: Callable[[Execution], None],
        settled: Callable[[list[Finished], set[int]], None],
        obey: Callable[[], None],
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._leases = leases
        self._presence = presence
        self._patience = patience
        self._lease_seconds = lease_seconds
        self._renew_every = lease_seconds / RENEWALS_A_LEASE
        self._settled = settled
        self._obey = obey
        self._deadlines = Deadlines(leases, self._run, replace)
        self.broken = False
        self._stopping = False
        self._called = threading.Event()
        self._jobs_cancelled = False
        self._pools_changed = False

    def stop(self) -> None:
        """End soon."""
        self._stopping = True
        self._called.set()

    def jobs_cancelled(self) -> None:
        """Running jobs were cancelled: perhaps of this process."""
        self._jobs_cancelled = True
        self._called.set()

    def pools_changed(self) -> None:
        """Pools were paused or resumed, or processes are to drain."""
        self._pools_changed = True
        self._called.set()

    def run(self) -> None:
        """Until `stop`."""
        renewed_at = 0.0
        tick = min(TICK_SECONDS, self._renew_every / 2)
        next_tick = time.monotonic() + tick
        try:
            while not self._stopping:
                self._called.wait(max(0.0, next_tick - time.monotonic()))
                self._called.clear()
                self._answer_calls()
                if time.monotonic() < next_tick:
                    continue
                next_tick = time.monotonic() + tick
                if time.monotonic() - renewed_at >= self._renew_every:
                    renewed_at = time.monotonic()
                    self._renew()
                    self._see()
                self._stop_cancelled(CANCELLABLE_SECONDS)
                self._deadlines.keep()
                self._write_progress()
                self._settle_ended()
                self._hand_back_waiting()
        except GaveUp:
            pass
        except Exception:
            # A defect of the engine itself: without renewals the process can keep no job.
            log.exception("worker.thread_died")
            self.broken = True
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
            if execution.stopped() or execution.outcome is not None:
                continue  # told before, or being settled this moment
            log.warning(
                "lease.lost", job_id=str(execution.attempt.job_id), attempt=execution.attempt.number
            )
            execution.stop()

    def _answer_calls(self) -> None:
        if self._jobs_cancelled:
            self._jobs_cancelled = False
            self._stop_cancelled(0.0)
        if self._pools_changed:
            self._pools_changed = False
            self._see()

    def _see(self) -> None:
        self._run(self._say_alive)
        self._obey()

    def _stop_cancelled(self, seconds: float) -> None:
        """Stop the attempts that were claimed so long ago and whose jobs were cancelled since."""
        held = {
            one.attempt.lease: one for one in self._leases.under_way(seconds) if not one.cancelled
        }
        if not held:
            return
        ids = {lease: one.attempt.job_id for lease, one in held.items()}
        for lease in self._run(lambda: requested(ids)):
            log.info("job.cancelled", job_id=str(ids[lease]))
            held[lease].cancel()

    def _settle_ended(self) -> None:
        """A job that turned out long holds up what its chunk has done before: that is settled."""
        if ended := self._leases.take_ended(LONGEST_WAIT_SECONDS):
            self._settled(ended, self._run(lambda: settle(ended)))

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
