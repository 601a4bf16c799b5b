"""One claimed attempt, under way or about to be: the Context that its processor sees."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jobs.attempt import Attempt
from jobs.processors.contract import LeaseLost, TimeLimits
from jobs.processors.limits import time_limits
from jobs.queue.checkpoint import Checkpoint
from jobs.queue.progress import Progress
from jobs.worker.checkpoints import Checkpoints, as_json

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.processors.declaration import Processor

NONE_DECLARED = TimeLimits()


class Execution:
    """The line between the worker and one attempt.

    thread: the one that claimed it and runs it. processor: that of its type, once it is called;
    begun_at: when that was (time.monotonic). outcome: None until it has returned.
    cancelled, timed_out: why it was stopped. taken: its lease was taken away. settled: its thread
    need not settle it.
    """

    __slots__ = (
        "_checkpoint",
        "_checkpoints",
        "_event",
        "_progress",
        "_stopped",
        "attempt",
        "begun_at",
        "cancelled",
        "claimed_at",
        "outcome",
        "processor",
        "settled",
        "taken",
        "thread",
        "timed_out",
    )

    def __init__(
        self,
        attempt: Attempt,
        claimed_at: float,
        thread: threading.Thread,
        checkpoints: Checkpoints,
    ) -> None:
        self.attempt = attempt
        self.claimed_at = claimed_at
        self.thread = thread
        self.processor: Processor | None = None
        self.begun_at: float | None = None
        self.outcome: Outcome | None = None
        self.cancelled = False
        self.timed_out = False
        self.taken = False
        self.settled = False
        self._stopped = False
        # Made when somebody waits: most short jobs never do.
        self._event: threading.Event | None = None
        self._progress: tuple[float | None, str] | None = None
        self._checkpoints = checkpoints
        self._checkpoint: Checkpoint | None = None

    def report(self, progress: float | None, message: str = "") -> None:
        """Keep the newest progress; the heartbeat thread writes it, so what is no progress must
        fail here."""
        self._progress = (None if progress is None else float(progress), str(message))

    def stopped(self) -> bool:
        """Whether the attempt is to stop now."""
        return self._stopped

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`; True at once when the attempt is to stop."""
        if self._event is None:
            self._event = threading.Event()
        # Looked at after the event is there: stop() sets the flag first.
        return self._stopped or self._event.wait(seconds)

    def seconds_left(self) -> float:
        """How long until the hard time limit."""
        _, hard = self.time_limits()
        return hard if self.begun_at is None else self.begun_at + hard - time.monotonic()

    def time_limits(self) -> tuple[float, float]:
        """The soft and the hard limit in seconds from the beginning."""
        declared = self.processor.limits if self.processor is not None else NONE_DECLARED
        return time_limits(self.attempt, declared)

    def checkpoint(self) -> dict[str, Any] | None:
        """The state that was saved last. Raises LeaseLost."""
        return self._kept().state

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state. Raises ValueError, LeaseLost."""
        if not isinstance(state, Mapping):
            raise ValueError("A checkpoint is a mapping.")
        self._keep(self._kept()._replace(state=as_json(dict(state), "A checkpoint")))

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The result of a step that is called once. Raises ValueError, LeaseLost."""
        kept = self._checkpoint
        if kept is None or name not in kept.steps:
            # Under the lease: who has lost the job must not call what another attempt has called.
            kept = self._load()
        if name not in kept.steps:
            steps = as_json({**kept.steps, name: function()}, "What steps return")
            kept = self._kept()._replace(steps=steps)  # the function may have saved a state
            self._keep(kept)
        return kept.steps[name]

    def stop(self) -> None:
        """Ask the processor to stop."""
        self._stopped = True
        if self._event is not None:
            self._event.set()

    def cancel(self) -> None:
        """Ask it to stop because the job is cancelled."""
        self.cancelled = True
        self.stop()

    def time_out(self) -> None:
        """Ask it to stop because its soft time limit is over."""
        self.timed_out = True
        self.stop()

    def take_progress(self) -> Progress | None:
        """The progress that was reported since the last call."""
        reported, self._progress = self._progress, None
        if reported is None:
            return None
        return Progress(self.attempt.job_id, self.attempt.lease, *reported)

    def _kept(self) -> Checkpoint:
        return self._load() if self._checkpoint is None else self._checkpoint

    def _load(self) -> Checkpoint:
        try:
            self._checkpoint = self._checkpoints.load(self.attempt)
        except LeaseLost:
            self.stop()
            raise
        return self._checkpoint

    def _keep(self, kept: Checkpoint) -> None:
        try:
            self._checkpoints.save(self.attempt, kept)
        except LeaseLost:
            self.stop()
            raise
        self._checkpoint = kept
