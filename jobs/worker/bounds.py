"""From where a pool's next claim looks for jobs."""

from collections.abc import Mapping

from jobs.queue.claim import Position

SHARE = 20  # looking at everything takes at most one part in so many of the time


class Bounds:
    """Follows how far each priority was claimed.

    The next claim begins there: while a snapshot is held open somewhere, the index entries of all
    jobs claimed since are still in front of that place, dead. A job can come in before it, by a
    late commit, a hand-back or a rescue; so every now and then a claim looks at everything, at once
    where that is quick, and in any case after `longest_seconds`.
    """

    def __init__(self, longest_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._reached: dict[int, Position] = {}
        self._everything_at = 0.0

    def after(self, now: float) -> Mapping[int, Position]:
        """Behind which position to look in each priority; empty: at everything."""
        return {} if now >= self._everything_at else self._reached

    def learn(
        self,
        after: Mapping[int, Position],
        reached: Mapping[int, Position],
        began: float,
        now: float,
    ) -> None:
        """A claim behind `after` took from `began` to `now` and claimed up to `reached`."""
        if not after:
            self._everything_at = now + min(self._longest_seconds, SHARE * (now - began))
        self._reached = {**self._reached, **reached}
