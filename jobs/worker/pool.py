"""The threads of one pool: each claims for itself, runs what it got, and settles it."""

import threading
from collections.abc import Mapping

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs import priorities
from jobs.outcomes import Failed
from jobs.processors.contract import Processor
from jobs.queue.claim import Claimed, Demand
from jobs.queue.finish import Finished
from jobs.queue.step import Stepped, step
from jobs.worker.executor import attempt_of, execute
from jobs.worker.idle import Idle
from jobs.worker.leases import Execution, Leases
from jobs.worker.patience import GaveUp, Patience
from jobs.worker.settlement import settle

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
        finished: list[Finished] = []
        while True:
            want = 0 if self._draining.is_set() else 1
            if not (finished or want):
                return
            seen = self._idle.seen()
            stepped = self._step(finished, want)
            settle(finished, stepped.settled, self._leases, self._patience)
            finished = []
            if stepped.claimed:
                executions = [self._take(job) for job in stepped.claimed]
                self._idle.wake_one()
                finished = [self._run(execution) for execution in executions]
            elif self._once:
                return
            elif want:
                self._idle.wait(seen)

    def _step(self, finished: list[Finished], want: int) -> Stepped:
        try:
            return self._patience.run(lambda: step(finished, self._demand, want))
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError as error:
            if not finished:
                raise
            # PostgreSQL cannot store an outcome: the job fails and says so, it must not hang.
            log.exception("job.unstorable")
            failed = Failed(f"The outcome cannot be stored: {error}", code="bad_result")
            replaced = [Finished(one.job_id, one.lease, failed) for one in finished]
            return self._patience.run(lambda: step(replaced, self._demand, want))

    def _take(self, job: Claimed) -> Execution:
        execution = Execution(attempt_of(job))
        self._leases.add(execution)
        return execution

    def _run(self, execution: Execution) -> Finished:
        attempt = execution.attempt
        outcome = execute(execution, self._processors)
        return Finished(attempt.job_id, attempt.lease, outcome)
