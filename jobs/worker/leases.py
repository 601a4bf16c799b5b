"""The leases that this process holds, and the line from the worker to each running attempt."""

import threading
import time
from collections.abc import Iterable

from jobs.attempt import Attempt
from jobs.outcomes import Interrupted
from jobs.queue.finish import Finished
from jobs.queue.progress import Progress


class Execution:
    """One claimed attempt, under way or about to be: the Context that its processor sees."""

    __slots__ = ("_event", "_progress", "_stopped", "attempt", "begun", "claimed_at", "ended")

    def __init__(self, attempt: Attempt, claimed_at: float) -> None:
        self.attempt = attempt
        self.claimed_at = claimed_at
        self.begun = False
        self.ended = False
        self._stopped = False
        # Made when somebody waits: most short jobs never do.
        self._event: threading.Event | None = None
        self._progress: tuple[float | None, str] | None = None

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep the newest progress; the heartbeat thread writes it."""
        self._progress = (progress, message)

    def stopped(self) -> bool:
        """Whether the attempt is to stop now."""
        return self._stopped

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when the attempt is to stop."""
        if self._event is None:
            self._event = threading.Event()
        # Looked at after the event is there: stop() sets the flag first.
        return self._stopped or self._event.wait(seconds)

    def stop(self) -> None:
        """Ask the processor to stop."""
        self._stopped = True
        if self._event is not None:
            self._event.set()

    def take_progress(self) -> Progress | None:
        """The progress that was reported since the last call."""
        reported, self._progress = self._progress, None
        if reported is None:
            return None
        return Progress(self.attempt.job_id, self.attempt.lease, *reported)


class Leases:
    """Every lease that the threads of this process hold, and whether it can renew them."""

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._renewed_at = time.monotonic()
        self._lock = threading.Lock()
        self._held: dict[int, Execution] = {}
        self._interrupted = False

    def add(self, attempts: Iterable[Attempt]) -> list[Execution]:
        """Jobs were claimed. Stopped at once where the process is already handing back."""
        now = time.monotonic()
        executions = [Execution(attempt, now) for attempt in attempts]
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
            execution.begun = execution.attempt.lease in self._held
            return execution.begun

    def remove(self, leases: Iterable[int]) -> None:
        """The jobs are settled, or lost."""
        with self._lock:
            for lease in leases:
                self._held.pop(lease, None)

    def held(self) -> list[Execution]:
        """All attempts that are not settled."""
        with self._lock:
            return list(self._held.values())

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
                one for one in self._held.values() if not one.begun and one.claimed_at < before
            ]
            for one in waiting:
                del self._held[one.attempt.lease]
        return [Finished(one.attempt, Interrupted(started=False)) for one in waiting]

    def interrupt(self) -> None:
        """Ask every attempt, also those still to come, to stop and be handed back."""
        with self._lock:
            self._interrupted = True
            for execution in self._held.values():
                execution.stop()

    def hand_backs(self) -> list[Finished]:
        """What to settle for attempts whose threads do not come back in time."""
        return [Finished(one.attempt, Interrupted(one.begun)) for one in self.held()]
