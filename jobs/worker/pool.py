"""The threads of one pool: each claims for itself, runs what it got, and settles it."""

import itertools
import threading
import time
from collections.abc import Mapping
from typing import NoReturn

import structlog
from django.conf import settings
from django.db import connection

from jobs import priorities
from jobs.outcomes import Cancel, Interrupted, Outcome
from jobs.processors.declaration import Processor
from jobs.queue.finish import Finished
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.chunk import Chunk
from jobs.worker.execution import Execution
from jobs.worker.executor import execute
from jobs.worker.idle import Idle
from jobs.worker.leases import Leases
from jobs.worker.patience import GaveUp
from jobs.worker.presence import process_name
from jobs.worker.settlement import clean_up
from jobs.worker.steps import Steps
from jobs.worker.tally import Tally

STUCK_A_THREAD = 4  # threads of a pool that may be stuck, for each that it has

log = structlog.get_logger(__name__)


class Replaced(Exception):
    """The attempt was taken from this thread, and another thread does its work now."""


class Pool:
    """Threads that serve one range of priorities until they are told to drain."""

    def __init__(
        self,
        pool: priorities.Pool,
        *,
        steps: Steps,
        idle: Idle,
        leases: Leases,
        checkpoints: Checkpoints,
        processors: Mapping[str, Processor],
        once: bool,
    ) -> None:
        self.pool = pool
        self._steps = steps
        self._idle = idle
        self._leases = leases
        self._checkpoints = checkpoints
        self._processors = processors
        self._once = once
        self.broken = False
        self._draining = threading.Event()
        self._paused = False
        self._numbers = itertools.count(1)
        self._stuck: list[threading.Thread] = []
        self.threads = [self._thread([]) for _ in range(pool.threads)]

    def start(self) -> None:
        """Start claiming."""
        for thread in self.threads:
            thread.start()

    def wake(self) -> int:
        """There may be work. Returns how many threads were idle; each that claims wakes another."""
        idle = self._idle.wake_one()
        return 0 if self._paused else idle

    def serves(self, priority: int) -> bool:
        """Whether its threads claim jobs of that priority."""
        return self.pool.lowest <= priority <= self.pool.highest

    def drain(self) -> None:
        """Claim no more; threads end as their jobs do."""
        self._draining.set()
        self._idle.close()

    def pause(self, paused: bool) -> None:
        """Claim nothing from now on, or claim again. What runs goes on."""
        if paused == self._paused:
            return
        self._paused = paused
        log.info("pool.paused" if paused else "pool.resumed", pool=self.pool.name)
        if not paused:
            self.wake()

    def replace(self, thread: threading.Thread) -> None:
        """One of the threads does not come back from an attempt: another does its work from now on.

        It ends by itself, should it come back. Each that does not keeps a connection: after so many
        the process ends, and its supervisor starts one that has none.
        """
        if thread not in self.threads:
            return
        successor = self._thread(self._leases.ended_in(thread))
        self.threads = [one for one in self.threads if one is not thread] + [successor]
        try:
            successor.start()
        except RuntimeError:  # the machine has no thread left: a new process begins with none
            log.exception("worker.thread_died")
            self.broken = True
            return
        log.warning("worker.thread_replaced", replaced=thread.name, by=successor.name)
        self._stuck = [one for one in self._stuck if one.is_alive()] + [thread]
        if len(self._stuck) >= STUCK_A_THREAD * self.pool.threads:
            log.error("worker.too_many_stuck", stuck=len(self._stuck))
            self.broken = True

    def _thread(self, finished: list[Finished]) -> threading.Thread:
        name = f"{self.pool.name}-{next(self._numbers)}"
        return threading.Thread(target=self._work, args=(finished,), name=name, daemon=True)

    def _work(self, finished: list[Finished]) -> None:
        structlog.contextvars.bind_contextvars(pool=self.pool.name, worker=process_name())
        try:
            self._serve(finished)
        except (GaveUp, Replaced):
            pass
        except Exception:
            # A defect of the engine itself: the process ends, its supervisor starts a new one.
            log.exception("worker.thread_died")
            self.broken = True
        finally:
            connection.close()

    def _serve(self, finished: list[Finished]) -> None:
        chunk = Chunk(settings.WORKER_LARGEST_CHUNK)
        tally = Tally()
        while True:
            seen = self._idle.seen()
            draining = self._draining.is_set()
            # What cannot be renewed is not claimed: it would be taken away and run once more.
            claims = self._leases.renewable() and not (draining or self._paused)
            want = chunk.size if claims else 0
            if not (finished or want):
                if draining or (self._paused and self._once):
                    break
                self._idle.wait(seen)
                continue
            claimed, lost = self._steps.take(finished, want)
            self._leases.remove([one.attempt.lease for one in finished])
            clean_up(finished, lost)
            self._checkpoints.settled(finished, lost)
            finished = []
            if claimed:
                executions = self._leases.add(claimed)
                self._idle.wake_one()
                finished = self._run(executions, chunk, tally)
            elif self._once:
                break
            elif want:
                tally.flush(time.monotonic())
                self._idle.wait(seen)
        tally.flush(time.monotonic())

    def _run(self, executions: list[Execution], chunk: Chunk, tally: Tally) -> list[Finished]:
        """Run what was claimed; what a drain finds not begun is handed back. Also one job: it was
        asked for before, and may have been long in coming."""
        quiet = chunk.short or len(executions) > 1
        finished: list[Finished] = []
        began = time.monotonic()
        for execution in executions:
            if not self._leases.begin(execution):
                continue
            if self._draining.is_set():
                outcome: Outcome = Interrupted(started=False)
            elif execution.cancelled:
                outcome = Cancel()
            else:
                outcome = execute(execution, self._processors, quiet=quiet)
            if not self._leases.end(execution, outcome):
                self._refuse(execution)
            finished.append(Finished(execution.attempt, outcome))
        now = time.monotonic()
        if finished:
            chunk.learn(len(finished), now - began)
        if quiet:
            tally.add(len(finished), now - began, now)
        return finished

    def _refuse(self, execution: Execution) -> NoReturn:
        """The attempt was taken away while it ran, and is settled: what it came to is dropped."""
        attempt, outcome = execution.attempt, execution.outcome
        assert outcome is not None  # noqa: S101 - it has ended
        refused = [Finished(attempt, outcome)]
        clean_up(refused, {attempt.lease})
        self._checkpoints.settled(refused, {attempt.lease})
        raise Replaced
