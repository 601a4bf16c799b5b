"""The leases that this process holds, and the line from the worker to each running attempt."""

import threading

from jobs.outcomes import Interrupted
from jobs.processors.contract import Attempt
from jobs.queue.finish import Finished
from jobs.queue.progress import Progress


class Execution:
    """One attempt under way: the Context that its processor sees."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._stop = threading.Event()
        self._progress: tuple[float | None, str] | None = None

    @property
    def attempt(self) -> Attempt:
        """The attempt at hand."""
        return self._attempt

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep the newest progress; the heartbeat thread writes it."""
        self._progress = (progress, message)

    def stopped(self) -> bool:
        """Whether the attempt is to stop now."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when the attempt is to stop."""
        return self._stop.wait(seconds)

    def stop(self) -> None:
        """Ask the processor to stop."""
        self._stop.set()

    def take_progress(self) -> Progress | None:
        """The progress that was reported since the last call."""
        reported, self._progress = self._progress, None
        if reported is None:
            return None
        return Progress(self._attempt.job_id, self._attempt.lease, *reported)


class Leases:
    """Every lease that the threads of this process hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, Execution] = {}
        self._interrupted = False

    def add(self, execution: Execution) -> None:
        """A job was claimed. Stopped at once where the process is already handing back."""
        with self._lock:
            self._held[execution.attempt.lease] = execution
            if self._interrupted:
                execution.stop()

    def remove(self, lease: int) -> None:
        """The job is settled, or lost."""
        with self._lock:
            self._held.pop(lease, None)

    def held(self) -> list[Execution]:
        """All attempts that are not settled."""
        with self._lock:
            return list(self._held.values())

    def interrupt(self) -> None:
        """Ask every attempt, also those still to come, to stop and be handed back."""
        with self._lock:
            self._interrupted = True
            for execution in self._held.values():
                execution.stop()

    def hand_backs(self) -> list[Finished]:
        """What to settle for attempts whose threads do not come back in time."""
        return [
            Finished(one.attempt.job_id, one.attempt.lease, Interrupted()) for one in self.held()
        ]
