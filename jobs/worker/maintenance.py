"""One thread a process: rescues jobs of dead workers, queues those whose time has come, fails those
that nobody started in time, fires schedules, hands over what is to be told, and now and then adds
up and prunes what has ended."""

import math
import threading
import time
from collections.abc import Callable, Collection

import structlog
from django.db import connection

from jobs.queue.due import seconds_until_due
from jobs.queue.expire import expire
from jobs.queue.fire import fire_due
from jobs.queue.limits import release
from jobs.queue.outbox import hand_over
from jobs.queue.promote import promote
from jobs.queue.rescue import BATCH, rescue
from jobs.queue.signal import tell_workers
from jobs.worker.looked import Looked
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.presence import forget_dead
from jobs.worker.sweeps import GO_ON_SECONDS, Sweep, sweeps
from jobs.worker.turn import Turn

FORGET_EVERY_SECONDS = 600.0
# Looking for lost leases takes at most one part in so many of the time, of all processes together.
SHARE = 10
LONGEST_REST = 1 / 3  # of a lease time
# However many jobs are due one after the other, and also when another holds the lock on one.
LEAST_PAUSE_SECONDS = 0.1

log = structlog.get_logger(__name__)


class Maintenance(threading.Thread):
    """Runs in every worker process. Who has looked tells the others, and they need not.

    SKIP LOCKED lets any number of them work side by side, so nothing depends on what is told: who
    hears nothing looks.

    processes: how many there are. wake: there are jobs of these priorities; returns for which it
    has not enough idle threads.
    """

    def __init__(
        self,
        patience: Patience,
        processes: Callable[[], int],
        wake: Callable[[Collection[int]], Collection[int]],
        *,
        scan_seconds: float,
        lease_seconds: float,
        most_lost_leases: int,
    ) -> None:
        super().__init__(name="maintenance", daemon=True)
        self._patience = patience
        self._processes = processes
        self._wake = wake
        self._scan_seconds = scan_seconds
        self._turn = Turn(scan_seconds, processes, time.monotonic())
        self._alarm_at = 0.0  # the first look is at once
        self._rescue_at = 0.0
        self._rescued_at = time.monotonic()
        self._lease_seconds = lease_seconds
        self._longest_rest = lease_seconds * LONGEST_REST
        self._most_lost_leases = most_lost_leases
        # By each look, and at once when it is woken.
        self._outbox = Sweep("outbox", hand_over, every=0.0, first=(0.0, 0.0))
        self._sweeps = [self._outbox, *sweeps()]
        self._stopping = threading.Event()
        self._woken = threading.Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()
        self._woken.set()

    def outbox_filled(self) -> None:
        """There is something to hand over, now."""
        self._outbox.wake()
        self._woken.set()

    def heard(self, looked: Looked) -> None:
        """Another process says that it has looked, or this one does."""
        now = time.monotonic()
        self._turn.heard(now)
        if now - self._rescued_at < self._turn.believed_seconds():
            self._rescue_at = now + min(looked.rest, self._longest_rest)

    def run(self) -> None:
        """Until `stop`."""
        forgot_at = time.monotonic()
        try:
            while not self._stops_within(self._until_next()):
                self._sweep(begun=True)
                if self._pause():
                    continue  # put off while this thread slept, or woken to go on with a sweep
                self._look()
                if time.monotonic() - forgot_at > FORGET_EVERY_SECONDS:
                    forgot_at = time.monotonic()
                    self._do("forget the dead", lambda: self._patience.run(forget_dead))
                self._sweep(begun=False)
        except GaveUp:
            pass
        finally:
            connection.close()

    def _stops_within(self, seconds: float) -> bool:
        """Sleep until then or until it is woken; whether it is to end."""
        self._woken.wait(seconds)
        self._woken.clear()
        return self._stopping.is_set()

    def _expire(self) -> None:
        while expired := self._patience.run(expire):
            log.warning("jobs.expired", jobs=len(expired), first=expired[0])

    def _sweep(self, *, begun: bool) -> None:
        """Sweeps are begun by who looks, and gone on with by who has begun them."""
        for sweep in self._sweeps:
            if sweep.unfinished == begun:
                self._patience.once(sweep.run_if_due)

    def _until_next(self) -> float:
        """Until the next look, or to go on with a sweep that has more left."""
        unfinished = any(sweep.unfinished for sweep in self._sweeps)
        return min(self._pause(), GO_ON_SECONDS) if unfinished else self._pause()

    def _pause(self) -> float:
        return max(0.0, min(self._turn.due_at, self._alarm_at) - time.monotonic())

    def _look(self) -> None:
        began = time.monotonic()
        waiting: set[int] = set()
        self._do("promote", lambda: waiting.update(self._queue_due()))
        if began >= self._rescue_at and self._could_renew():
            self._do("rescue", self._rescue)
        self._do("expire", self._expire)
        self._do("release", lambda: waiting.update(self._wake(self._patience.run(release))))
        self._turn.looked(began)
        if self._processes() > 1:
            rest = max(0.0, self._rescue_at - time.monotonic())
            told = Looked(rest, waiting).payload()
            self._do("tell", lambda: self._patience.run(lambda: tell_workers(told)))

    def _do(self, part: str, operation: Callable[[], None]) -> None:
        """What fails here, as by a row that cannot be, must not keep the rest from being done."""
        try:
            operation()
        except GaveUp:
            raise
        except Exception:
            log.exception("maintenance.failed", part=part)
            connection.close()

    def _could_renew(self) -> bool:
        """Whether a lease that has run out was lost by its worker.

        After an outage it was not, until there was time to renew it. The server's start, by which
        `rescue` goes, lies before its recovery, and that may take longer than a lease."""
        return self._patience.up_for() >= self._lease_seconds

    def _queue_due(self) -> set[int]:
        """Queue what is due, and remember when the next will be, unless somebody looks before."""
        waiting: set[int] = set()
        self._alarm_at = math.inf
        seconds = self._patience.run(seconds_until_due)
        if seconds is not None and seconds <= 0:
            waiting = self._promote()
            seconds = self._patience.run(seconds_until_due)
        # Who has looked last sets the alarm, and no others: hence only for the time of its turn.
        if seconds is not None and seconds < self._scan_seconds:
            self._alarm_at = time.monotonic() + max(seconds, LEAST_PAUSE_SECONDS)
        return waiting

    def _promote(self) -> set[int]:
        """The priorities of jobs now queued for which there is no idle thread in this process.

        A signal calls about eight processes by their count; right after many have died that can be
        none, and polling would be too late. So this process sees to them, or calls all.
        """
        waiting: set[int] = set()
        while promoted := self._patience.run(promote):
            waiting.update(self._wake(promoted))
        waiting.update(self._wake(self._patience.run(fire_due)))
        return waiting

    def _rescue(self) -> None:
        while True:
            rescued, seconds = self._patience.run(self._timed_rescue)
            for job_id, status, worker in rescued:
                log.warning("job.rescued", job_id=job_id, status=status, lost_by=worker)
            if len(rescued) < BATCH:
                break
        # While an old snapshot is held open, a rescue reads the entries of all jobs since.
        self._rescued_at = time.monotonic()
        self._rescue_at = self._rescued_at + min(self._longest_rest, SHARE * seconds)

    def _timed_rescue(self) -> tuple[list[tuple[str, str, str]], float]:
        began = time.monotonic()
        rescued = rescue(self._lease_seconds, self._most_lost_leases)
        return rescued, time.monotonic() - began
