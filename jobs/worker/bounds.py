"""From where a pool's next claim looks for jobs."""

from collections.abc import Mapping

from jobs.priorities import LOWEST
from jobs.queue.claim import Position

SHARE = 20  # looking at everything takes at most one part in so many of the time


class Bounds:
    """Follows how far each priority was claimed.

    The next claim begins there: while a snapshot is held open somewhere, the index entries of all
    jobs claimed since are still in front of that place, dead. A job can come in before it, by a
    late commit, a hand-back or a rescue; so every now and then a claim looks at everything, at once
    where that is quick, and in any case after `longest_seconds`. Each priority has its own turn: a
    claim that finds enough higher jobs has not looked at the lower ones.
    """

    def __init__(self, longest_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._reached: dict[int, Position] = {}
        self._everything_at: dict[int, float] = {}

    def after(self, now: float) -> Mapping[int, Position]:
        """Behind which position to look in each priority; one that is not there: at everything."""
        due = self._everything_at
        return {
            priority: position
            for priority, position in self._reached.items()
            if now < due.get(priority, 0.0)
        }

    def learn(
        self,
        after: Mapping[int, Position],
        reached: Mapping[int, Position],
        began: float,
        now: float,
        *,
        to_the_end: bool,
    ) -> None:
        """A claim behind `after` took from `began` to `now` and claimed up to `reached`.

        to_the_end: it looked at every priority, and not just at the highest until it had enough.
        """
        known = {**self._reached, **reached}
        lowest = LOWEST if to_the_end or not reached else min(reached)
        again_at = now + min(self._longest_seconds, SHARE * (now - began))
        looked_at = {
            priority: again_at for priority in known if priority >= lowest and priority not in after
        }
        self._everything_at = {**self._everything_at, **looked_at}
        self._reached = known
