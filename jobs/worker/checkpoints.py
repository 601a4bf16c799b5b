"""Checkpoints as a running attempt uses them, and their end once its job is completed."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jobs.attempt import Attempt
from jobs.outcomes import Completed
from jobs.processors.contract import LeaseLost
from jobs.queue import checkpoint
from jobs.queue.checkpoint import Checkpoint
from jobs.queue.finish import Finished
from jobs.worker.patience import GaveUp, Patience

MAX_BYTES = 65_536
T = TypeVar("T")


class Checkpoints:
    """Reads and writes for all attempts of a process, and knows which of them have something kept.

    Nearly every attempt has nothing: then the end of its job costs one look at an empty set.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._kept: set[int] = set()

    def load(self, attempt: Attempt) -> Checkpoint:
        """What is kept for the job. Raises LeaseLost, also when the worker must end."""
        found = self._run(lambda: checkpoint.load(attempt))
        if found is None:
            raise LeaseLost
        if found != checkpoint.NOTHING:
            self._kept.add(attempt.lease)
        return found

    def save(self, attempt: Attempt, kept: Checkpoint) -> None:
        """Keep it. Raises LeaseLost."""
        self._kept.add(attempt.lease)
        if not self._run(lambda: checkpoint.save(attempt, kept.state, kept.steps)):
            raise LeaseLost

    def settled(self, finished: Iterable[Finished], lost: set[int]) -> None:
        """Attempts were settled: what is kept for completed jobs is needed no more."""
        if not self._kept:
            return
        mine = [one for one in finished if one.attempt.lease in self._kept]
        self._kept.difference_update(one.attempt.lease for one in mine)
        completed = [
            one.attempt.job_id
            for one in mine
            if isinstance(one.outcome, Completed) and one.attempt.lease not in lost
        ]
        if completed:
            self._patience.run(lambda: checkpoint.forget(completed))

    def _run(self, operation: Callable[[], T]) -> T:
        try:
            return self._patience.run(operation)
        except GaveUp:
            raise LeaseLost from None


def as_json(value: Any, what: str) -> Any:
    """The value as JSON gives it back. Raises ValueError when it cannot be kept."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not JSON: {error}") from None
    if size > MAX_BYTES or "\\u0000" in text:
        raise ValueError(f"{what} must have at most {MAX_BYTES} bytes of JSON, and no NUL.")
    return json.loads(text)
