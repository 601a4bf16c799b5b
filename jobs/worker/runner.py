"""A worker process: its threads, its signals, its end."""

import gc
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

import structlog
from django.conf import settings
from django.db import connection

from jobs import priorities
from jobs.processors.registry import processors
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished
from jobs.queue.limits import release
from jobs.queue.promote import promote
from jobs.queue.signal import CANCEL, OUTBOX, POOLS
from jobs.worker.bounds import Bounds
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution
from jobs.worker.heartbeat import RENEWALS_A_LEASE, Heartbeat
from jobs.worker.idle import Idle
from jobs.worker.leases import Leases
from jobs.worker.looked import read_looked
from jobs.worker.maintenance import Maintenance
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.pool import Pool
from jobs.worker.presence import Presence, process_name
from jobs.worker.sessions import bound_process
from jobs.worker.settlement import clean_up, settle
from jobs.worker.signals import StopSignals
from jobs.worker.steps import Steps
from jobs.worker.wakeup import listeners
from jobs.worker.wakeup.listener import EVERYTHING, PING_EVERY_SECONDS
from jobs.worker.watchdog import Watchdog

AT_ONCE = 2  # stop signals
# Objects more than were freed, before a collection looks for circles: the default of 700 is reached
# by every chunk of short jobs, which makes none.
GARBAGE = 20_000
HAND_BACK_SECONDS = 1.5  # for processors to stop and say so, before their leases are handed back
PRIORITIES = {
    str(priority): priority for priority in range(priorities.LOWEST, priorities.HIGHEST + 1)
}

log = structlog.get_logger(__name__)


class Runner:
    """Runs pools until a signal, or with `once` until nothing is queued for them."""

    def __init__(self, pools: Sequence[priorities.Pool], *, once: bool = False) -> None:
        self._once = once
        self._signals = StopSignals()
        lease = settings.JOB_LEASE_SECONDS
        self._watchdog = Watchdog(min(lease / RENEWALS_A_LEASE, PING_EVERY_SECONDS))
        # What a step claimed is lost after one lease time: no answer is worth waiting longer for.
        self._patience = Patience(self._watchdog, lease)
        self._checkpoints = Checkpoints(self._patience)
        self._leases = Leases(lease, self._checkpoints)
        self._listeners = listeners(self._wake, self._watchdog)
        self._presence = Presence(
            {pool.name: pool.threads for pool in pools},
            lambda: {one.signal_name: one.state for one in self._listeners},
            lease,
        )
        self._pools = [self._pool(pool) for pool in pools]
        self._heartbeat = Heartbeat(
            self._leases,
            self._presence,
            self._patience,
            lease,
            replace=self._replace,
            settled=self._settled,
            obey=self._obey,
        )
        self._maintenance = Maintenance(
            self._patience,
            lambda: self._presence.all_processes,
            self._wake_for,
            scan_seconds=settings.JOB_RETRY_SCAN_SECONDS,
            lease_seconds=lease,
            most_lost_leases=settings.JOB_MAX_LOST_LEASES,
        )

    def run(self) -> bool:
        """Block until the end. The first stop signal, or a drain that was asked for, drains; the
        second stop signal hands back at once.

        Returns False when a thread broke and the process ended because of it.
        """
        self._signals.install()
        bound_process()
        structlog.contextvars.bind_contextvars(
            pool=",".join(pool.pool.name for pool in self._pools), worker=process_name()
        )
        gc.freeze()  # what is loaded by now stays: no collection needs to look at it again
        gc.set_threshold(GARBAGE)
        log.info("worker.started", threads=sum(len(pool.threads) for pool in self._pools))
        try:
            self._start()
            self._wait_for_end()
            self._drain()
        except GaveUp:
            log.warning("worker.gave_up", reason="told to stop while the database is away")
        self._stop_services()
        self._signals.ignore()
        log.info("worker.stopped")
        return not self._broken()

    def _start(self) -> None:
        for thread in (self._watchdog, *self._listeners, self._heartbeat, self._maintenance):
            thread.start()
        self._patience.run(self._presence.seen, stopped=self._told_to_stop)
        self._obey()
        if self._once:
            self._patience.run(promote, stopped=self._told_to_stop)
            self._patience.run(release, stopped=self._told_to_stop)
        for pool in self._pools:
            pool.start()

    def _wait_for_end(self) -> None:
        while (
            not self._signals.count
            and not self._presence.drain_requested
            and self._alive()
            and not self._broken()
        ):
            self._signals.wait(0.1 if self._once else 2.0)

    def _drain(self) -> None:
        log.info("worker.draining", running=len(self._leases.held()))
        for pool in self._pools:
            pool.drain()
        self._join(settings.WORKER_GRACE_SECONDS)
        if self._alive():
            log.info("worker.handing_back", jobs=len(self._leases.held()))
            self._leases.interrupt()
            self._patience.give_up()
            self._join_interrupted()
        self._settle_left()

    def _settle_left(self) -> None:
        """For threads that do not come back, or broke."""
        self._patience.give_up()
        if left := self._leases.unsettled():
            self._settled(left, self._patience.run(lambda: settle(left)))

    def _join(self, seconds: float) -> None:
        """Wait for the pool threads, at most `seconds`, and not after a second signal."""
        deadline = time.monotonic() + seconds
        while self._alive() and self._signals.count < AT_ONCE and time.monotonic() < deadline:
            self._signals.wait(0.05)

    def _join_interrupted(self) -> None:
        deadline = time.monotonic() + HAND_BACK_SECONDS
        while self._alive() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _stop_services(self) -> None:
        self._patience.give_up()
        for listener in self._listeners:
            listener.stop()
        self._heartbeat.stop()
        self._maintenance.stop()
        self._heartbeat.join(1)
        self._maintenance.join(1)
        with suppress(GaveUp):  # then the maintenance of others forgets the row
            self._patience.run(self._presence.gone)
        self._watchdog.stop()
        connection.close()

    def _broken(self) -> bool:
        return self._heartbeat.broken or any(pool.broken for pool in self._pools)

    def _told_to_stop(self) -> bool:
        return self._signals.count > 0

    def _alive(self) -> bool:
        return any(thread.is_alive() for pool in self._pools for thread in pool.threads)

    def _pool(self, pool: priorities.Pool) -> Pool:
        demand = Demand(
            pool.lowest,
            pool.highest,
            process_name(),
            settings.JOB_LEASE_SECONDS,
            settings.JOB_AGEING_SECONDS,
        )
        return Pool(
            pool,
            steps=Steps(
                demand,
                self._patience,
                # Who ends when nothing is queued has to look at everything.
                Bounds(0.0 if self._once else settings.WORKER_POLL_SECONDS),
                self._presence.alone,
            ),
            idle=Idle(settings.WORKER_POLL_SECONDS),
            leases=self._leases,
            checkpoints=self._checkpoints,
            processors=processors(),
            once=self._once,
        )

    def _wake(self, payload: str) -> None:
        """A signal came: which priorities have new jobs, CANCEL, POOLS; EVERYTHING; or a word among
        workers."""
        if (looked := read_looked(payload)) is not None:
            self._maintenance.heard(looked)
            self._wake_for(looked.waiting)
            return
        topics = payload.split(",")
        if payload == EVERYTHING or CANCEL in topics:
            self._heartbeat.jobs_cancelled()
        if payload == EVERYTHING or POOLS in topics:
            self._heartbeat.pools_changed()
        if payload != EVERYTHING and not self._presence.is_called():
            return
        if OUTBOX in topics:
            self._maintenance.outbox_filled()
        if payload == EVERYTHING:
            for pool in self._pools:
                pool.wake()
        else:
            self._wake_for([PRIORITIES[topic] for topic in topics if topic in PRIORITIES])

    def _wake_for(self, priorities: Collection[int]) -> set[int]:
        """There are jobs, one of each of these priorities. Returns for which there are not enough
        idle threads here."""
        left = set(priorities)
        for pool in self._pools:
            served = [priority for priority in priorities if pool.serves(priority)]
            if served and pool.wake() >= len(served):
                left.difference_update(served)
        return left

    def _obey(self) -> None:
        """Pause and resume as the rows say."""
        for pool in self._pools:
            pool.pause(pool.pool.name in self._presence.paused)

    def _settled(self, finished: list[Finished], lost: set[int]) -> None:
        clean_up(finished, lost)
        self._checkpoints.settled(finished, lost)

    def _replace(self, execution: Execution) -> None:
        for pool in self._pools:
            pool.replace(execution.thread)
