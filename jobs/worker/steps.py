"""The steps of a pool's threads: few at a time; who comes meanwhile goes along with the next.

Each thread on its own would pay a round trip and a commit for every job; together they share them.
What each thread gets is its own all the same: one claims no job for another to wait for.
"""

import threading
import time
from _thread import allocate_lock
from collections.abc import Callable

from jobs.attempt import Attempt
from jobs.queue.claim import Demand
from jobs.queue.finish import Finished
from jobs.queue.limits import release
from jobs.queue.step import Stepped, step
from jobs.worker.bounds import Bounds
from jobs.worker.patience import Patience
from jobs.worker.settlement import BAD_OUTCOME, settle_alone

AT_ONCE = 2
# Each step under way has rows that the claims of all others pass over. Where other processes step
# too, the database has work while this one computes.
AT_ONCE_BESIDE_OTHERS = 1
# Between looks for throttled jobs that find none to release: short jobs end far more often.
RELEASE_SECONDS = 0.05


class _Turn:
    """A thread's part in a step: what it brings, and what it gets."""

    __slots__ = ("claimed", "error", "finished", "gate", "leads", "lost", "want")

    def __init__(self, finished: list[Finished], want: int) -> None:
        self.finished = finished
        self.want = want
        self.leads = False
        self.claimed: list[Attempt] = []
        self.lost: set[int] = set()
        self.error: BaseException | None = None
        # Held until it is this thread's turn to go on: a bare lock costs a tenth of an Event.
        self.gate = allocate_lock()
        self.gate.acquire()


class Steps:
    """Settles and claims for all threads of a pool.

    alone: whether no other process serves it; asked at every step.
    """

    def __init__(
        self, demand: Demand, patience: Patience, bounds: Bounds, alone: Callable[[], bool]
    ) -> None:
        self._demand = demand
        self._patience = patience
        self._bounds = bounds
        self._lock = threading.Lock()
        self._alone = alone
        self._under_way = 0
        self._release_at = 0.0
        self._waiting: list[_Turn] = []

    def take(self, finished: list[Finished], want: int) -> tuple[list[Attempt], set[int]]:
        """Settle `finished`, claim up to `want` jobs: the claimed jobs, and the lost leases.

        Raises GaveUp when the worker must end while the database is away.
        """
        turn = _Turn(finished, want)
        with self._lock:
            if self._under_way < self._most():
                self._under_way += 1
                turn.leads = True
            else:
                self._waiting.append(turn)
        if not turn.leads:
            turn.gate.acquire()
        if turn.leads:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        return turn.claimed, turn.lost

    def _lead(self, first: _Turn) -> None:
        """Step for `first` and all that wait; then hand the lead on to one that came meanwhile."""
        with self._lock:
            turns = [first, *self._waiting]
            self._waiting = []
        try:
            self._step(turns)
        except BaseException as error:  # each thread ends by it
            for turn in turns:
                turn.error = error
        with self._lock:
            go_on = self._waiting and self._under_way <= self._most()
            successor = self._waiting.pop(0) if go_on else None
            if successor is None:
                self._under_way -= 1
        for turn in turns[1:]:
            turn.gate.release()
        if successor is not None:
            successor.leads = True
            successor.gate.release()

    def _most(self) -> int:
        return AT_ONCE if self._alone() else AT_ONCE_BESIDE_OTHERS

    def _step(self, turns: list[_Turn]) -> None:
        finished = [one for turn in turns for one in turn.finished]
        stepped = self._settle_and_claim(finished, sum(turn.want for turn in turns))
        claimed = iter(stepped.claimed)
        for turn in turns:
            turn.lost = stepped.lost
            turn.claimed = [attempt for _, attempt in zip(range(turn.want), claimed, strict=False)]

    def _settle_and_claim(self, finished: list[Finished], want: int) -> Stepped:
        try:
            return self._claim(finished, want)
        except BAD_OUTCOME:
            if not finished:
                raise
            # One outcome that cannot be stored must not take the others along.
            lost = set().union(
                *(self._patience.run(lambda one=one: settle_alone(one)) for one in finished)  # type: ignore[misc]
            )
            return self._claim([], want)._replace(lost=lost)

    def _claim(self, finished: list[Finished], want: int) -> Stepped:
        began = time.monotonic()
        after = self._bounds.after(began)
        stepped = self._patience.run(lambda: step(finished, self._demand, want, after))
        missing = want - len(stepped.claimed)
        if finished and self._released(idle=missing > 0) and missing:
            more = self._patience.run(lambda: step([], self._demand, missing, after))
            stepped = Stepped(
                stepped.lost, stepped.claimed + more.claimed, stepped.reached | more.reached
            )
        if want:
            # With ageing a claim compares the first jobs of all priorities.
            to_the_end = missing > 0 or self._demand.ageing_seconds > 0
            self._bounds.learn(
                after, stepped.reached, began, time.monotonic(), to_the_end=to_the_end
            )
        return stepped

    def _released(self, *, idle: bool) -> bool:
        """What has ended may have made room under a limit: whether jobs that waited for it are now
        queued. idle: this step found too little; the next one may be long in coming."""
        if time.monotonic() < self._release_at and not idle:
            return False
        released = bool(self._patience.run(release))
        self._release_at = 0.0 if released else time.monotonic() + RELEASE_SECONDS
        return released
