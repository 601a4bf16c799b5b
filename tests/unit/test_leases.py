"""Whose an attempt is when its thread and the time limit come at one moment, and at the end."""

import threading
import time
from typing import Any
from uuid import uuid4

from jobs.outcomes import Completed, Interrupted, Outcome
from jobs.queue.finish import Finished
from jobs.worker.checkpoints import Checkpoints
from jobs.worker.execution import Execution
from jobs.worker.leases import Leases
from jobs.worker.patience import Patience
from tests.rows import DONE, attempt


def held(number: int) -> tuple[Leases, list[Execution]]:
    """So many attempts of this thread."""
    leases = Leases(30.0, Checkpoints(Patience()))
    return leases, leases.add(attempt(uuid4(), lease) for lease in range(1, number + 1))


class Ending(Execution):
    """Ends just when `take` has looked whether it has."""

    __slots__ = ("_outcome", "leases", "owned")

    def __init__(self, leases: Leases, *arguments: Any) -> None:
        self.leases: Leases | None = None
        self.owned: list[bool] = []
        super().__init__(*arguments)
        self.leases = leases

    @property
    def outcome(self) -> Outcome | None:
        seen: Outcome | None = self._outcome
        if seen is None and (leases := self.leases) is not None:
            self.leases = None
            ending = threading.Thread(target=lambda: self.owned.append(leases.end(self, DONE)))
            ending.start()
            ending.join(0.2)
        return seen

    @outcome.setter
    def outcome(self, value: Outcome | None) -> None:
        self._outcome = value


def test_an_attempt_that_ends_while_it_is_taken_has_one_owner() -> None:
    leases = Leases(30.0, Checkpoints(Patience()))
    execution = Ending(
        leases, attempt(uuid4(), 1), 0.0, threading.current_thread(), Checkpoints(Patience())
    )
    leases._held[1] = execution
    leases.begin(execution)
    taken = leases.take(execution)
    while not execution.owned:
        pass
    assert execution.owned == [not taken]


def test_what_has_ended_is_not_handed_back_at_the_end() -> None:
    leases, (done, running, waiting) = held(3)
    for one in (done, running):
        leases.begin(one)
    leases.end(done, DONE)
    outcomes = {one.attempt.lease: one.outcome for one in leases.unsettled()}
    assert isinstance(outcomes[done.attempt.lease], Completed)
    assert outcomes[running.attempt.lease] == Interrupted(started=True)
    assert outcomes[waiting.attempt.lease] == Interrupted(started=False)


def test_what_has_ended_is_settled_when_the_next_of_its_thread_is_long() -> None:
    leases, (done, running, waiting) = held(3)
    for one in (done, running):
        leases.begin(one)
    leases.end(done, DONE)
    assert leases.take_ended(60.0) == []
    time.sleep(0.01)
    assert leases.take_ended(0.0) == [Finished(done.attempt, DONE)]
    assert leases.take_ended(0.0) == []
    assert leases.held() == [running, waiting]
    assert (done.settled, running.settled) == (True, False)


def test_what_its_own_thread_settles_this_moment_is_left_to_it() -> None:
    leases, ended = held(3)
    for one in ended:
        leases.begin(one)
        leases.end(one, DONE)
    time.sleep(0.01)
    assert leases.take_ended(0.0) == []
