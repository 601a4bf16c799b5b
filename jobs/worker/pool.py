"""The threads of one pool: each claims for itself, runs what it got, and settles it."""

import threading
import time
from collections.abc import Mapping

import structlog
from django.conf import settings
from django.db import DataError, connection

from jobs import priorities
from jobs.outcomes import Failed, Interrupted, Outcome
from jobs.processors.contract import Processor
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished, finish
from jobs.queue.step import Stepped, step
from jobs.worker.chunk import Chunk
from jobs.worker.executor import execute
from jobs.worker.idle import Idle
from jobs.worker.leases import Execution, Leases
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.settlement import clean_up

log = structlog.get_logger(__name__)


class Pool:
    """Threads that serve one range of priorities until they are told to drain."""

    def __init__(
        self,
        pool: priorities.Pool,
        demand: Demand,
        *,
        idle: Idle,
        leases: Leases,
        patience: Patience,
        processors: Mapping[str, Processor],
        once: bool,
    ) -> None:
        self.pool = pool
        self._demand = demand
        self._idle = idle
        self._leases = leases
        self._patience = patience
        self._processors = processors
        self._once = once
        self.broken = False
        self._draining = threading.Event()
        self.threads = [
            threading.Thread(target=self._work, name=f"{pool.name}-{number}", daemon=True)
            for number in range(1, pool.threads + 1)
        ]

    def start(self) -> None:
        """Start claiming."""
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        """There may be work."""
        self._idle.wake_one()

    def drain(self) -> None:
        """Claim no more; threads end as their jobs do."""
        self._draining.set()
        self._idle.close()

    def _work(self) -> None:
        structlog.contextvars.bind_contextvars(pool=self.pool.name, worker=self._demand.worker)
        try:
            self._serve()
        except GaveUp:
            pass
        except Exception:
            # A defect of the engine itself: the process ends, its supervisor starts a new one.
            log.exception("worker.thread_died")
            self.broken = True
        finally:
            connection.close()

    def _serve(self) -> None:
        chunk = Chunk(settings.WORKER_LARGEST_CHUNK)
        finished: list[Finished] = []
        while True:
            want = 0 if self._draining.is_set() else chunk.size
            if not (finished or want):
                return
            seen = self._idle.seen()
            stepped = self._step(finished, want)
            self._leases.remove(one.attempt.lease for one in finished)
            clean_up(finished, stepped.lost)
            finished = []
            if stepped.claimed:
                executions = self._leases.add(stepped.claimed)
                self._idle.wake_one()
                finished = self._run(executions, chunk)
            elif self._once:
                return
            elif want:
                self._idle.wait(seen)

    def _step(self, finished: list[Finished], want: int) -> Stepped:
        try:
            return self._patience.run(lambda: step(finished, self._demand, want))
        except DataError:
            if not finished:
                raise
            # One outcome that PostgreSQL cannot store must not take its chunk along.
            lost = set().union(*(self._settle_alone(one) for one in finished))
            return Stepped(lost, self._step([], want).claimed)

    def _settle_alone(self, one: Finished) -> set[int]:
        """Settle one attempt; if its outcome cannot be stored the job fails and says so."""
        try:
            return self._patience.run(lambda: finish([one]))
        except DataError as error:
            log.exception("job.unstorable", job_id=str(one.attempt.job_id))
            failed = Failed(f"The outcome cannot be stored: {error}", code="bad_result")
            return self._patience.run(lambda: finish([Finished(one.attempt, failed)]))

    def _run(self, executions: list[Execution], chunk: Chunk) -> list[Finished]:
        """Run a chunk; what a drain finds not begun is handed back."""
        quiet = len(executions) > 1
        finished: list[Finished] = []
        began = time.monotonic()
        for execution in executions:
            if not self._leases.begin(execution):
                continue
            if quiet and self._draining.is_set():
                outcome: Outcome = Interrupted(started=False)
            else:
                outcome = execute(execution, self._processors, quiet=quiet)
            execution.ended = True
            finished.append(Finished(execution.attempt, outcome))
        seconds = time.monotonic() - began
        if finished:
            chunk.learn(len(finished), seconds)
        if quiet:
            log.info("jobs.ended", jobs=len(finished), seconds=round(seconds, 3))
        return finished
