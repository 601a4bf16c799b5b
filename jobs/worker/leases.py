"""The leases that this process holds."""

import threading
import time
from collections.abc import Iterable

from jobs.attempt import Attempt
from jobs.outcomes import Interrupted, Outcome
from jobs.queue.finish import Finished
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution


class Leases:
    """Every lease that the threads of this process hold, and whether it can renew them."""

    def __init__(self, lease_seconds: float, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._lease_seconds = lease_seconds
        self._renewed_at = time.monotonic()
        self._lock = threading.Lock()
        self._held: dict[int, Execution] = {}
        self._interrupted = False

    def add(self, attempts: Iterable[Attempt]) -> list[Execution]:
        """This thread claimed jobs. Stopped at once where the process is already handing back."""
        now = time.monotonic()
        thread = threading.current_thread()
        executions = [Execution(attempt, now, thread, self._checkpoints) for attempt in attempts]
        with self._lock:
            for execution in executions:
                self._held[execution.attempt.lease] = execution
            if self._interrupted:
                for execution in executions:
                    execution.stop()
        return executions

    def begin(self, execution: Execution) -> bool:
        """The processor is about to be called. False when the job was handed back meanwhile."""
        with self._lock:
            if execution.attempt.lease not in self._held:
                return False
            execution.begun_at = time.monotonic()
            return True

    def remove(self, leases: Iterable[int]) -> None:
        """The jobs are settled, or lost."""
        with self._lock:
            for lease in leases:
                self._held.pop(lease, None)

    def held(self) -> list[Execution]:
        """All attempts that are not settled."""
        with self._lock:
            return list(self._held.values())

    def under_way(self, seconds: float = 0.0) -> list[Execution]:
        """The attempts that were claimed so long ago and have not ended."""
        before = time.monotonic() - seconds
        return [one for one in self.held() if one.claimed_at <= before and one.outcome is None]

    def take(self, execution: Execution) -> bool:
        """Take an attempt away from its thread. False when it has ended this moment."""
        with self._lock:
            if execution.attempt.lease not in self._held:
                return False
            # In this order, because `end` writes and reads in the other: one of them sees it.
            execution.taken = True
            if execution.outcome is not None:
                execution.taken = False
                return False
            del self._held[execution.attempt.lease]
        execution.stop()
        return True

    def end(self, execution: Execution, outcome: Outcome) -> bool:
        """The processor has returned. False when the attempt was taken away before."""
        execution.outcome = outcome
        if not execution.taken:
            return True
        with self._lock:  # `take` may be about to find that it comes too late
            return not execution.taken

    def ended_in(self, thread: threading.Thread) -> list[Finished]:
        """What a thread has done and not settled."""
        return [
            Finished(one.attempt, one.outcome)
            for one in self.held()
            if one.thread is thread and one.outcome is not None
        ]

    def renewed(self, asked_at: float) -> None:
        """The heartbeat had its answer to what it asked at `asked_at` (time.monotonic)."""
        self._renewed_at = asked_at

    def renewable(self) -> bool:
        """Whether a renewal came through within one lease time: else nothing more is claimed."""
        return time.monotonic() - self._renewed_at < self._lease_seconds

    def take_waiting(self, seconds: float) -> list[Finished]:
        """Let go of jobs that have waited so long behind another of their chunk; hand them back."""
        before = time.monotonic() - seconds
        with self._lock:
            waiting = [
                one
                for one in self._held.values()
                if one.begun_at is None and one.claimed_at < before
            ]
            for one in waiting:
                del self._held[one.attempt.lease]
        return [Finished(one.attempt, Interrupted(started=False)) for one in waiting]

    def take_ended(self, seconds: float) -> list[Finished]:
        """Let go of what has ended in threads whose next attempt has lasted so long: to be settled
        without them."""
        before = time.monotonic() - seconds
        with self._lock:
            busy = {
                one.thread
                for one in self._held.values()
                if one.outcome is None and one.begun_at is not None and one.begun_at < before
            }
            ended = [one for one in self._held.values() if one.outcome and one.thread in busy]
            for one in ended:
                one.settled = True
                del self._held[one.attempt.lease]
        return [Finished(one.attempt, one.outcome) for one in ended if one.outcome]

    def interrupt(self) -> None:
        """Ask every attempt, also those still to come, to stop and be handed back."""
        with self._lock:
            self._interrupted = True
            for execution in self._held.values():
                execution.stop()

    def unsettled(self) -> list[Finished]:
        """What to settle for threads that do not come back in time, or never: what has ended by its
        outcome, and the rest is handed back."""
        return [
            Finished(one.attempt, one.outcome or Interrupted(one.begun_at is not None))
            for one in self.held()
        ]
