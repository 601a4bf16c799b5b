"""The threads of one pool: each claims for itself, runs what it got, and settles it."""

import threading
import time
from collections.abc import Mapping

import structlog
from django.conf import settings
from django.db import connection

from jobs import priorities
from jobs.outcomes import Interrupted, Outcome
from jobs.processors.declaration import Processor
from jobs.queue.finish import Finished
from jobs.worker.chunk import Chunk
from jobs.worker.executor import execute
from jobs.worker.idle import Idle
from jobs.worker.leases import Execution, Leases
from jobs.worker.patience import GaveUp
from jobs.worker.presence import process_name
from jobs.worker.settlement import clean_up
from jobs.worker.steps import Steps
from jobs.worker.tally import Tally

log = structlog.get_logger(__name__)


class Pool:
    """Threads that serve one range of priorities until they are told to drain."""

    def __init__(
        self,
        pool: priorities.Pool,
        *,
        steps: Steps,
        idle: Idle,
        leases: Leases,
        processors: Mapping[str, Processor],
        once: bool,
    ) -> None:
        self.pool = pool
        self._steps = steps
        self._idle = idle
        self._leases = leases
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
        structlog.contextvars.bind_contextvars(pool=self.pool.name, worker=process_name())
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
        tally = Tally()
        finished: list[Finished] = []
        while True:
            want = 0 if self._draining.is_set() else chunk.size
            if not (finished or want):
                break
            seen = self._idle.seen()
            claimed, lost = self._steps.take(finished, want)
            self._leases.remove([one.attempt.lease for one in finished])
            clean_up(finished, lost)
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
            else:
                outcome = execute(execution, self._processors, quiet=quiet)
            execution.ended = True
            finished.append(Finished(execution.attempt, outcome))
        now = time.monotonic()
        if finished:
            chunk.learn(len(finished), now - began)
        if quiet:
            tally.add(len(finished), now - began, now)
        return finished
